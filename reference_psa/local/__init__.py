"""What `make run` and the tests need on one machine: PostgreSQL and Valkey from wheels, a supervisor."""
