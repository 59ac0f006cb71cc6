"""What the vendor's own records say of alerts that its list leaves out: was the webhook of the end delivered?

The list names only what is open, so these are asked for one by one: a few in each cycle, and none any more
once the vendor has failed to answer. Without an answer the list alone counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from rmm_extension.domain.errors import ProviderError
from rmm_extension.domain.types import AlertEvent, Connection
from rmm_extension.providers.capabilities import FetchesAlert
from rmm_extension.providers.contract import Provider

ASK_AT_MOST = 50
"""So many records are asked for in one cycle: usually a handful ends between two polls without a webhook."""


@dataclass(slots=True)
class Records:
    """The records of one connection; ``is_asked`` is false where no webhook could have been lost."""

    provider: Provider
    connection: Connection
    is_asked: bool
    left: int = ASK_AT_MOST

    def of(self, external_id: str) -> AlertEvent | None:
        """The alert as the vendor tells it alone; ``None`` when it says nothing."""
        if not self.is_asked or not self.left or not isinstance(self.provider, FetchesAlert):
            return None
        self.left -= 1
        try:
            return self.provider.alert(self.connection, external_id)
        except ProviderError:
            self.left = 0
            return None
