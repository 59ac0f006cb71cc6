"""The reference PSA with the extension mounted, for any WSGI server: ``wsgi:app``."""

from reference_psa import create_app

app = create_app()
