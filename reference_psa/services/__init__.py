"""What changes the PSA's state, apart from pages and adapters."""
