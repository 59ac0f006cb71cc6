"""Matching what a vendor calls something with what is here: client names, and devices with assets."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from .serials import usable_serial

EXACT = 1.0
SAME_BUT_LEGAL_FORM = 0.95
CLOSE = 0.72
MARGIN = 0.05
"""How far the best close name must lead the second: nearer ones are ambiguous."""

_QUOTES = re.compile(r"['\"`´‘’‚“”„«»]")  # noqa: RUF001 - the typographic ones are meant
_NOT_WORD = re.compile(r"[\W_]+")
_NOT_HEX = re.compile(r"[^0-9a-f]")
_LEGAL = re.compile(
    r"(?: (?:inc|incorporated|llc|llp|lp|ltd|limited|plc|corp|corporation|co|company|gmbh|mbh|ag|kg|ohg|ug|eg"
    r"|ev|sa|sarl|sas|srl|spa|bv|nv|ab|as|oy|aps|pty|pvt|group|holding|holdings))+$"
)
_CONSIDERED = 8
"""How many candidates by common trigrams are compared in full."""


def normalize_name(name: str) -> str:
    """A name as it is compared: no case, no quotes, other punctuation as one space."""
    folded = _QUOTES.sub("", unicodedata.normalize("NFKC", name).casefold())
    return _NOT_WORD.sub(" ", folded).strip()


def without_legal_form(normalized: str) -> str:
    """A normalized name without the legal forms at its end; a name of nothing else stays."""
    return _LEGAL.sub("", normalized)


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A known name that fits: ``score`` 1 is equal after normalization."""

    key: str
    score: float

    @property
    def is_exact(self) -> bool:
        """Whether the names are equal after normalization."""
        return self.score == EXACT


class NameIndex:
    """The known names, ready to be asked often. ``names`` maps a key to its name."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._exact: dict[str, list[str]] = defaultdict(list)
        self._cores: dict[str, list[str]] = defaultdict(list)
        self._by_trigram: dict[str, list[str]] = defaultdict(list)
        for key, name in names.items():
            self._add(key, normalize_name(name))

    def _add(self, key: str, normalized: str) -> None:
        if not normalized:
            return
        core = without_legal_form(normalized)
        self._exact[normalized].append(key)
        if core not in self._cores:
            for trigram in _trigrams(core):
                self._by_trigram[trigram].append(core)
        self._cores[core].append(key)

    def exact(self, name: str) -> NameMatch | None:
        """The one known name equal to this one; several or none is ``None``."""
        keys = self._exact.get(normalize_name(name), [])
        return NameMatch(keys[0], EXACT) if len(keys) == 1 else None

    def best(self, name: str) -> NameMatch | None:
        """The best fitting known name, or ``None`` when nothing is near or two are equally near."""
        normalized = normalize_name(name)
        if not normalized:
            return None
        if normalized in self._exact:
            return self.exact(name)
        core = without_legal_form(normalized)
        if core in self._cores:
            return self._only(core, SAME_BUT_LEGAL_FORM)
        return self._close(core)

    def _close(self, core: str) -> NameMatch | None:
        common = Counter(other for trigram in _trigrams(core) for other in self._by_trigram.get(trigram, ()))
        near = [other for other, _ in common.most_common(_CONSIDERED)]
        scored = sorted(((_similarity(core, other), other) for other in near), reverse=True)
        if not scored or scored[0][0] < CLOSE:
            return None
        if len(scored) > 1 and scored[0][0] - scored[1][0] < MARGIN:
            return None
        return self._only(scored[0][1], round(min(scored[0][0], SAME_BUT_LEGAL_FORM), 2))

    def _only(self, core: str, score: float) -> NameMatch | None:
        keys = self._cores[core]
        return NameMatch(keys[0], score) if len(keys) == 1 else None


def _trigrams(text: str) -> set[str]:
    padded = f"  {text} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}


def _similarity(one: str, other: str) -> float:
    """The better of the names as written and with their words sorted."""
    as_written = SequenceMatcher(None, one, other, autojunk=False).ratio()
    first, second = (" ".join(sorted(name.split())) for name in (one, other))
    return max(as_written, SequenceMatcher(None, first, second, autojunk=False).ratio())


@dataclass(frozen=True, slots=True)
class Identity:
    """What may tell that a device is a known asset."""

    serial: str | None
    macs: frozenset[str]
    name: str

    @classmethod
    def of(cls, serial: str | None, macs: Iterable[str], name: str) -> Identity:
        """The identity from values as vendors and hosts write them; fillers of serials are dropped."""
        usable = usable_serial(serial)
        return cls(usable.casefold() if usable else None, normalize_macs(macs), name.strip().casefold())

    def differs_in_serial(self, other: Identity) -> bool:
        """Whether both have a serial and not the same one: then they are two machines."""
        return self.serial is not None and other.serial is not None and self.serial != other.serial


def normalize_macs(macs: Iterable[str]) -> frozenset[str]:
    """MAC addresses as 12 hexadecimal digits; all zeros and other lengths are left out."""
    found = (_NOT_HEX.sub("", mac.lower()) for mac in macs)
    return frozenset(mac for mac in found if len(mac) == 12 and set(mac) not in ({"0"}, {"f"}))


@dataclass(frozen=True, slots=True)
class AssetDecision:
    """``adopt`` is the asset that the device surely is; ``propose`` are assets a person may say it is."""

    adopt: str | None = None
    reason: str | None = None
    propose: tuple[str, ...] = ()


def match_asset(
    device: Identity, candidates: Sequence[tuple[str, Identity]], *, by_name: bool = False
) -> AssetDecision:
    """Which asset, by id, a device is: its serial decides, then a MAC; a name only proposes.

    Several that fit equally well are proposed, never chosen from. One with another serial is not adopted.
    ``by_name``: the only asset of its name is the device, unless their serials tell them apart.
    """
    same_serial = [pair for pair in candidates if device.serial and pair[1].serial == device.serial]
    if same_serial:
        return _choose(device, same_serial, "serial")
    same_mac = [
        pair for pair in candidates if device.macs & pair[1].macs and not device.differs_in_serial(pair[1])
    ]
    if same_mac:
        return _choose(device, same_mac, "mac")
    named = [pair for pair in candidates if device.name and pair[1].name == device.name]
    if by_name and len(named) == 1 and not device.differs_in_serial(named[0][1]):
        return AssetDecision(adopt=named[0][0], reason="name")
    proposed = tuple(asset for asset, _ in named)
    return AssetDecision(reason="name", propose=proposed) if proposed else AssetDecision()


def _choose(device: Identity, fitting: Sequence[tuple[str, Identity]], reason: str) -> AssetDecision:
    if len(fitting) > 1:
        closer = [pair for pair in fitting if device.macs & pair[1].macs and pair[1].name == device.name]
        closer = closer or [pair for pair in fitting if pair[1].name == device.name]
        fitting = closer if len(closer) == 1 else fitting
    if len(fitting) == 1:
        return AssetDecision(adopt=fitting[0][0], reason=reason)
    return AssetDecision(reason=reason, propose=tuple(asset for asset, _ in fitting))
