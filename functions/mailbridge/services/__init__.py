"""Use cases, told in terms of ports."""
