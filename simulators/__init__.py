"""Stand-ins for RMM vendors: separate processes that answer over HTTP as the vendor's own server does."""
