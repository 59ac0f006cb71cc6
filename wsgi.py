"""The reference PSA with the extension mounted, as a WSGI server wants it."""

import gc

from reference_psa import create_app

app = create_app()

# What is loaded by now lives as long as the process: keep the garbage collector from walking it again and
# again, which would make one request in a hundred wait.
gc.collect()
gc.freeze()
