"""The only place that knows Google's clients, HTTP and storage formats."""
