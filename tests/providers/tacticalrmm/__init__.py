"""Tests of the Tactical RMM provider."""
