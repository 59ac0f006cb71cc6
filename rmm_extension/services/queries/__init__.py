"""Read models: what pages and slots show, in few statements, each narrowed to one tenant."""
