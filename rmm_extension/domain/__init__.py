"""Pure rules and values: no Flask, SQLAlchemy, RQ or requests in here, and no I/O."""
