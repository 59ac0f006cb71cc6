"""What the activity says of a change."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.blueprints.presentation import change_lines


@pytest.mark.parametrize(
    "changes, lines",
    [
        ({"state": ["connected", "not_connected"]}, ["State: connected → Not connected"]),
        ({"client": [None, "Kestrel"]}, ["Client: Kestrel"]),
        ({"client": ["Kestrel", None]}, ["Client: Kestrel → nothing"]),
        ({"enabled": [True, False]}, ["Enabled: yes → no"]),
        ({"enabled": False}, ["Enabled: no"]),
        ({"minutes": 0}, ["Minutes: 0"]),
        ({"error_code": None, "input": {}, "ticket": "", "names": []}, []),
        ({"Kestrel & Sons": "mapped"}, ["Kestrel & Sons: mapped"]),
        (None, []),
    ],
)
def test_changes_in_lines(changes: dict[str, Any] | None, lines: list[str]) -> None:
    assert change_lines(changes) == lines
