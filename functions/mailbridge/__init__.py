"""Mailbridge keeps a CRM's conversations and its users' own Gmail mailboxes in step."""
