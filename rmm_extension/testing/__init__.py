"""Shipped with the extension for the tests of a host: what a host can check itself with."""
