"""Names of clients, and devices and assets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.matching import (
    AssetDecision,
    Identity,
    NameIndex,
    match_asset,
    normalize_macs,
    normalize_name,
    without_legal_form,
)

MAC = "00:11:22:33:44:55"


@pytest.mark.parametrize(
    "name, normalized",
    [
        ("  Acme,  Inc.  ", "acme inc"),
        ("O'Brien & Sons LLC", "obrien sons llc"),
        ("O’Brien", "obrien"),
        ("„Müller“ GmbH & Co. KG", "müller gmbh co kg"),
        ("STRASSE/Straße", "strasse strasse"),
        ("under_score", "under score"),
        ("Ａｃｍｅ", "acme"),  # noqa: RUF001 - full-width letters are meant
        ("...", ""),
        ("", ""),
    ],
)
def test_normalized_names(name: str, normalized: str) -> None:
    assert normalize_name(name) == normalized


@given(st.text())
def test_normalizing_twice_is_normalizing_once(name: str) -> None:
    once = normalize_name(name)
    assert normalize_name(once) == once
    assert once == " ".join(once.split())


@pytest.mark.parametrize(
    "normalized, core",
    [("acme inc", "acme"), ("müller gmbh co kg", "müller"), ("inc", "inc"), ("co op", "co op"), ("", "")],
)
def test_legal_forms(normalized: str, core: str) -> None:
    assert without_legal_form(normalized) == core


INDEX = NameIndex(
    {
        "1": "Acme, Inc.",
        "2": "Birch Dental Group",
        "3": "Twin Peaks",
        "4": "TWIN PEAKS!",
        "5": "Northwind Traders London",
        "6": "Northwind Traders Lisbon",
        "7": "",
    }
)


@pytest.mark.parametrize(
    "name, key, score",
    [
        ("acme inc", "1", 1.0),
        ("ACME", "1", 0.95),
        ("Acme Ltd", "1", 0.95),
        ("Birch Dental", "2", 0.95),
        ("Birch Dentall", "2", None),
        ("Dental Birch", "2", 0.95),
        ("Twin Peaks", None, None),
        ("Twin Peaks LLC", None, None),
        ("Northwind Traders", None, None),
        ("Northwind Traders Londn", "5", None),
        ("Zebra", None, None),
        ("", None, None),
        ("!!!", None, None),
    ],
)
def test_best_name(name: str, key: str | None, score: float | None) -> None:
    match = INDEX.best(name)
    assert (match.key if match else None) == key
    if match and score is not None:
        assert match.score == score


def test_only_equal_names_are_exact() -> None:
    exact = INDEX.exact("ACME INC")
    assert exact is not None
    assert exact.is_exact
    assert INDEX.exact("Acme") is None
    assert INDEX.exact("Twin Peaks") is None
    close = INDEX.best("Acme")
    assert close is not None
    assert not close.is_exact


@given(st.dictionaries(st.text(max_size=4), st.text(max_size=12), max_size=8), st.text(max_size=12))
def test_whatever_is_found_is_known_and_scored(names: dict[str, str], wanted: str) -> None:
    match = NameIndex(names).best(wanted)
    if match is not None:
        assert match.key in names
        assert 0 < match.score <= 1
        same = [key for key, name in names.items() if normalize_name(name) == normalize_name(wanted)]
        assert match.is_exact == (same == [match.key])


@pytest.mark.parametrize(
    "macs, normalized",
    [
        ([MAC, "00-11-22-33-44-55", "0011.2233.4455"], {"001122334455"}),
        (["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "", "nonsense", "00:11"], set()),
        (["AA:BB:CC:DD:EE:FF"], {"aabbccddeeff"}),
    ],
)
def test_macs(macs: list[str], normalized: set[str]) -> None:
    assert normalize_macs(macs) == normalized


def identity(serial: str | None = None, macs: tuple[str, ...] = (), name: str = "") -> Identity:
    return Identity.of(serial, macs, name)


OTHER_MAC = "aa:bb:cc:dd:ee:ff"


@pytest.mark.parametrize(
    "device, candidates, decision",
    [
        pytest.param(identity("S1"), [], AssetDecision(), id="nothing there"),
        pytest.param(identity("s1"), [("a", identity("S1"))], AssetDecision("a", "serial"), id="serial"),
        pytest.param(
            identity("0"), [("a", identity("0", name="x"))], AssetDecision(), id="a filler is no serial"
        ),
        pytest.param(
            identity(macs=(MAC,)), [("a", identity(macs=(MAC,)))], AssetDecision("a", "mac"), id="mac"
        ),
        pytest.param(
            identity("S1", (MAC,)),
            [("a", identity("S2", (MAC,)))],
            AssetDecision(),
            id="same mac, other serial",
        ),
        pytest.param(
            identity("S1", (MAC,)),
            [("a", identity("S1")), ("b", identity(macs=(MAC,)))],
            AssetDecision("a", "serial"),
            id="serial before mac",
        ),
        pytest.param(
            identity(name="pc"), [("a", identity(name="PC "))], AssetDecision(None, "name", ("a",)), id="name"
        ),
        pytest.param(
            identity("S1", name="pc"),
            [("a", identity("S1", name="x")), ("b", identity("S1", name="y"))],
            AssetDecision(None, "serial", ("a", "b")),
            id="two with the serial",
        ),
        pytest.param(
            identity("S1", name="pc"),
            [("a", identity("S1", name="pc")), ("b", identity("S1", name="y"))],
            AssetDecision("a", "serial"),
            id="two with the serial, one with the name",
        ),
        pytest.param(
            identity(macs=(MAC, OTHER_MAC)),
            [("a", identity(macs=(MAC,))), ("b", identity(macs=(OTHER_MAC,)))],
            AssetDecision(None, "mac", ("a", "b")),
            id="two with a mac",
        ),
    ],
)
def test_asset_decisions(
    device: Identity, candidates: list[tuple[str, Identity]], decision: AssetDecision
) -> None:
    assert match_asset(device, candidates) == decision


@pytest.mark.parametrize(
    "device, candidates, decision",
    [
        pytest.param(identity(name="PC"), [("a", identity(name="pc"))], AssetDecision("a", "name"), id="one"),
        pytest.param(
            identity("S1", name="pc"),
            [("a", identity(name="pc"))],
            AssetDecision("a", "name"),
            id="no serial",
        ),
        pytest.param(
            identity("S1", name="pc"),
            [("a", identity("S2", name="pc"))],
            AssetDecision(None, "name", ("a",)),
            id="another serial",
        ),
        pytest.param(
            identity("S1", name="pc"),
            [("a", identity("S1", name="pc")), ("b", identity(name="pc"))],
            AssetDecision("a", "serial"),
            id="several, one with the serial",
        ),
        pytest.param(
            identity("S3", name="pc"),
            [("a", identity("S1", name="pc")), ("b", identity(name="pc"))],
            AssetDecision(None, "name", ("a", "b")),
            id="several, none with the serial",
        ),
        pytest.param(
            identity("S1", name="pc"),
            [("a", identity(name="pc")), ("b", identity("S1", name="old-pc"))],
            AssetDecision("b", "serial"),
            id="the serial before the name",
        ),
        pytest.param(identity(name=""), [("a", identity(name=""))], AssetDecision(), id="no name"),
    ],
)
def test_asset_decisions_by_name(
    device: Identity, candidates: list[tuple[str, Identity]], decision: AssetDecision
) -> None:
    assert match_asset(device, candidates, by_name=True) == decision


IDENTITIES = st.builds(
    identity,
    serial=st.sampled_from([None, "S1", "S2", "None"]),
    macs=st.sampled_from([(), (MAC,), (OTHER_MAC,), (MAC, OTHER_MAC)]),
    name=st.sampled_from(["", "pc", "srv"]),
)


@given(IDENTITIES, st.lists(IDENTITIES, max_size=5))
def test_never_adopts_another_serial_nor_by_name_alone(device: Identity, others: list[Identity]) -> None:
    candidates = [(str(number), other) for number, other in enumerate(others)]
    decision = match_asset(device, candidates)
    assert not (decision.adopt and decision.propose)
    if decision.adopt:
        chosen = others[int(decision.adopt)]
        assert not device.differs_in_serial(chosen)
        assert device.serial == chosen.serial is not None or device.macs & chosen.macs


@given(IDENTITIES, st.lists(IDENTITIES, max_size=5))
def test_a_name_never_joins_what_serials_tell_apart(device: Identity, others: list[Identity]) -> None:
    candidates = [(str(number), other) for number, other in enumerate(others)]
    decision = match_asset(device, candidates, by_name=True)
    if decision.adopt:
        assert not device.differs_in_serial(others[int(decision.adopt)])
    if decision.reason == "name" and decision.adopt:
        assert [other.name for other in others].count(device.name) == 1
