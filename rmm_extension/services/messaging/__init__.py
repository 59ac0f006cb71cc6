"""A chat service's bot, on our side: where it was put, who is who there, and the keys of its vendor."""

from .availability import has_conversation
from .context import Messaging
from .endpoint import Endpoint, endpoint, open_endpoint

__all__ = ["Endpoint", "Messaging", "endpoint", "has_conversation", "open_endpoint"]
