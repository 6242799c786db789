"""Mail content: Gmail's message resource in, normalised envelope and body out."""
