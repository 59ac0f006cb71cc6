"""A device's numbers of patches as they follow from its list, under the names that vendors' own have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rmm_extension.domain.patches import Patch, PatchKind, numbers


def facts_of(
    items: Sequence[Patch], kinds: Collection[PatchKind], known: Mapping[str, int | None]
) -> dict[str, int | bool]:
    """The facts of ``rmm_devices`` that lists of devices are narrowed by: counted for these kinds, and as
    they are ``known`` for another one, without what nobody knows."""
    facts: dict[str, int | bool] = {name: number for name, number in known.items() if number is not None}
    for kind in kinds:
        counted = numbers(items, kind)
        facts[f"{kind}_patches_pending"] = counted.pending
        facts[f"{kind}_patches_failed"] = counted.failed
    facts["has_pending_patches"] = any(facts.get(f"{kind}_patches_pending") for kind in PatchKind)
    return facts
