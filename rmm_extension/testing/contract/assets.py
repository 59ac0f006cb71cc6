"""Assets: found, created, updated, put to rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rmm_extension.host import AssetKey, AssetMatch

from .base import UNKNOWN, Bench, ContractBase
from .facts import AssetFacts
from .rules import attempt, rule


class Assets(ContractBase):
    """The ``assets`` port."""

    def _facts(self, bench: Bench, asset_id: str) -> AssetFacts:
        bench.session.flush()
        return self.read_asset(bench.session, bench.tenant_id, asset_id)

    def _find(self, bench: Bench, **values: Any) -> list[AssetMatch]:
        key = {"client_id": bench.client_id, "serial": None, "macs": (), "name": UNKNOWN, **values}
        return list(bench.assets.find(bench.session, bench.tenant_id, [AssetKey(**key)]))

    def test_a_device_becomes_an_asset_with_its_vitals(self, bench: Bench) -> None:
        """Name, client, serial, status and what the agent measured."""
        change = bench.change()
        (applied,) = bench.assets.apply(bench.session, bench.tenant_id, [change])
        facts = self._facts(bench, applied.asset_id)
        call = "assets.apply"
        rule(applied.created, call, "created is True for asset_id None.")
        same = (facts.name, facts.client_id, facts.serial) == (change.name, change.client_id, change.serial)
        rule(same, call, "keep name, client and serial number.")
        rule(facts.rmm_device_id == change.rmm_device_id, call, "keep rmm_device_id.")
        rule(facts.agent_status == "online", call, "keep agent_status.")
        rule(facts.is_active, call, "a new asset is active.")
        found = {key: facts.vitals.get(key) for key in change.vitals}
        rule(found == change.vitals, call, f"keep the vitals; read_asset told {found}.")

    def test_answers_come_in_the_order_of_the_batch(self, bench: Bench) -> None:
        """New and known ones mixed: the caller joins by position."""
        known = bench.asset()
        batch = [bench.change(), bench.change(known), bench.change(), bench.change()]
        applied = bench.assets.apply(bench.session, bench.tenant_id, batch)
        call = "assets.apply"
        rule(len(applied) == len(batch), call, "one answer for each change.")
        rule(
            [a.created for a in applied] == [True, False, True, True],
            call,
            "created is False for a known one.",
        )
        rule(applied[1].asset_id == known, call, "an update answers with the id it was given.")
        names = [self._facts(bench, a.asset_id).name for a in applied]
        rule(names == [c.name for c in batch], call, "answer in the order of the batch.")
        rule(len({a.asset_id for a in applied}) == 4, call, "each new device gets an asset of its own.")

    def test_nothing_to_do_is_fine(self, bench: Bench) -> None:
        """Empty batches."""
        rule(
            not bench.assets.apply(bench.session, bench.tenant_id, []),
            "assets.apply",
            "[] for an empty batch.",
        )
        rule(not bench.assets.find(bench.session, bench.tenant_id, []), "assets.find", "[] for no keys.")
        bench.assets.mark_inactive(bench.session, bench.tenant_id, [], "Gone.")
        rule(
            not bench.assets.get_many(bench.session, bench.tenant_id, []), "assets.get_many", "{} for no ids."
        )

    def test_none_and_absent_vitals_leave_what_is_there(self, bench: Bench) -> None:
        """A vendor that says less must not make us know less."""
        asset = bench.asset()
        before = self._facts(bench, asset)
        quiet = bench.change(
            asset, client_id=None, name=None, asset_type=None, serial=None, location=None, vitals={}
        )
        quiet = replace(quiet, rmm_device_id=before.rmm_device_id or "")
        bench.assets.apply(bench.session, bench.tenant_id, [quiet])
        after = self._facts(bench, asset)
        rule(
            after == before,
            "assets.apply",
            f"None, or a missing key of vitals, leaves what is there: {after}.",
        )

    def test_an_update_changes_what_it_names(self, bench: Bench) -> None:
        """Also the client: the asset follows its device."""
        asset = bench.asset()
        moved = bench.change(
            asset,
            client_id=bench.other_client_id,
            name="Renamed",
            agent_status="offline",
            vitals={"current_user": "ben"},
        )
        bench.assets.apply(bench.session, bench.tenant_id, [moved])
        facts = self._facts(bench, asset)
        call = "assets.apply"
        rule(
            (facts.name, facts.client_id) == ("Renamed", bench.other_client_id),
            call,
            "change name and client.",
        )
        rule(facts.agent_status == "offline" and facts.is_active, call, "offline is a status, not inactive.")
        rule(facts.vitals.get("current_user") == "ben", call, "change the vitals that are named.")
        rule(facts.vitals.get("lan_ip") == "10.0.0.5", call, "leave the vitals that are not named.")

    def test_changes_are_in_the_history(self, bench: Bench) -> None:
        """And what did not change is not."""
        change = bench.change()
        (made,) = bench.assets.apply(bench.session, bench.tenant_id, [change])
        change = replace(change, asset_id=made.asset_id)
        first = self._facts(bench, made.asset_id).history
        bench.assets.apply(bench.session, bench.tenant_id, [change])
        same = self._facts(bench, made.asset_id).history
        rule(same == first, "assets.apply", "a change that changes nothing is no entry of the history.")
        bench.assets.apply(bench.session, bench.tenant_id, [replace(change, name="Renamed")])
        more = self._facts(bench, made.asset_id).history
        rule(more > same, "assets.apply", "keep a history of changed fields.")

    def test_an_asset_that_is_gone_is_not_promised(self, bench: Bench) -> None:
        """Made anew, or refused in words; never an id without an asset."""
        outcome = attempt(lambda: bench.assets.apply(bench.session, bench.tenant_id, [bench.change(UNKNOWN)]))
        if outcome.refusal is None:
            ids = [one.asset_id for one in outcome.answer]  # type: ignore[attr-defined]
            found = bench.assets.get_many(bench.session, bench.tenant_id, ids)
            rule(found.keys() == set(ids), "assets.apply", "answer only with ids of assets that exist.")

    def test_inactive_until_it_is_asked_back(self, bench: Bench) -> None:
        """Only ``reactivate`` makes an inactive asset active."""
        asset = bench.asset()
        bench.assets.mark_inactive(bench.session, bench.tenant_id, [asset, UNKNOWN], "Its device is gone.")
        rule(
            not self._facts(bench, asset).is_active,
            "assets.mark_inactive",
            "the asset is inactive afterwards.",
        )
        bench.assets.apply(bench.session, bench.tenant_id, [bench.change(asset)])
        still = not self._facts(bench, asset).is_active
        rule(still, "assets.apply", "without reactivate an inactive asset stays inactive.")
        bench.assets.apply(bench.session, bench.tenant_id, [bench.change(asset, reactivate=True)])
        rule(self._facts(bench, asset).is_active, "assets.apply", "reactivate makes it active again.")

    def test_found_by_serial_mac_or_name(self, bench: Bench) -> None:
        """Whatever the case."""
        mac = "0A:1B:2C:3D:4E:5F"
        change = bench.change(vitals={"mac_addresses": [mac]})
        (made,) = bench.assets.apply(bench.session, bench.tenant_id, [change])
        assert change.serial
        assert change.name
        for what, key in (
            ("serial number", {"serial": change.serial.lower()}),
            ("MAC address", {"macs": (mac.lower(),)}),
            ("name", {"name": change.name.upper()}),
        ):
            found = [match.asset_id for match in self._find(bench, **key)]
            rule(found == [made.asset_id], "assets.find", f"find the asset by its {what}, whatever the case.")
        (match,) = self._find(bench, serial=change.serial)
        told = (match.client_id, match.serial, match.name)
        rule(told == (bench.client_id, change.serial, change.name), "assets.find", "tell what the asset has.")
        rule([m.upper() for m in match.macs] == [mac], "assets.find", "tell the asset's MAC addresses.")

    def test_found_within_the_client_only(self, bench: Bench) -> None:
        """The same serial number at another client is another machine."""
        change = bench.change()
        bench.assets.apply(bench.session, bench.tenant_id, [change])
        found = self._find(bench, client_id=bench.other_client_id, serial=change.serial, name=change.name)
        rule(not found, "assets.find", "look among the assets of the key's client only.")

    def test_what_is_not_known_matches_nothing(self, bench: Bench) -> None:
        """Two assets without a serial number are not the same one."""
        bench.assets.apply(bench.session, bench.tenant_id, [bench.change(serial=None, vitals={})])
        rule(not self._find(bench), "assets.find", "a serial of None and no MACs match no asset.")

    def test_another_tenants_asset_is_not_changed(self, bench: Bench) -> None:
        """Whatever becomes of the change, the asset of this tenant stays as it is."""
        asset = bench.asset()
        before = self._facts(bench, asset)
        stolen = bench.change(asset, client_id=bench.foreign_client_id, name="Stolen")
        attempt(lambda: bench.assets.apply(bench.session, bench.other_tenant_id, [stolen]))
        rule(self._facts(bench, asset) == before, "assets.apply", "it changed an asset of another tenant.")

    def test_another_tenants_client_owns_no_asset(self, bench: Bench) -> None:
        """The client of a change is one of the tenant."""
        change = bench.change(client_id=bench.foreign_client_id)
        outcome = attempt(lambda: bench.assets.apply(bench.session, bench.tenant_id, [change]))
        rule(outcome.refusal, "assets.apply", "refuse a client of another tenant with HostRejected.")

    def test_the_assets_that_exist_are_named(self, bench: Bench) -> None:
        """For display: name and owner."""
        asset = bench.asset(name="Front desk")
        found = bench.assets.get_many(bench.session, bench.tenant_id, [asset, UNKNOWN])
        rule(found.keys() == {asset}, "assets.get_many", "name exactly the assets that exist.")
        ref = found[asset]
        told = (ref.id, ref.name, ref.client_id) == (asset, "Front desk", bench.client_id)
        rule(told, "assets.get_many", "tell id, name and client.")
