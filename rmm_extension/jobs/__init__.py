"""Background work on RQ: thin. Load ids, call a service, turn the error's class into retry, later or stop.

State is in PostgreSQL; Redis only carries "there is something to do". Losing it loses no work.
"""
