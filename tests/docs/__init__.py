"""The documents stay true."""
