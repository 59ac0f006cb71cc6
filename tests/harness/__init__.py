"""What the tests stand on: real servers, fresh databases, live servers, waiting."""
