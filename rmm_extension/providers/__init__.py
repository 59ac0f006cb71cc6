"""Clients of the vendors. A provider speaks HTTP and domain values; it knows no database, Flask or RQ."""
