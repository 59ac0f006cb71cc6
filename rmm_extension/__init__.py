"""RMM integrations for a Flask PSA: devices become assets, alerts become tickets."""

from .extension import RmmExtension

__all__ = ["RmmExtension", "__version__"]
__version__ = "0.1.0"
