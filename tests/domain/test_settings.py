"""The configuration: each wrong value names its key."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.retention import SHORTEST, Keep
from rmm_extension.domain.settings import Settings, read_settings
from rmm_extension.keys import new_key

KEY = base64.b64encode(b"k" * 32).decode()
OTHER = base64.b64encode(b"o" * 32).decode()


def read(**values: Any) -> Settings:
    return read_settings({"RMM_SECRET_KEYS": f"k1:{KEY}"} | values)


def refused(**values: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        read(**values)
    return str(caught.value)


def test_a_secret_key_is_enough() -> None:
    found = read()
    assert found.secret_keys == {"k1": b"k" * 32}
    assert (found.redis_url, found.public_url, found.url_prefix) == (None, None, "/rmm")
    assert (found.webhook_max_bytes, found.detail_wait) == (262_144, 120)
    assert found.allowed_networks == ()
    assert found.base_urls == {}


def test_the_order_of_keys_is_kept() -> None:
    assert list(read(RMM_SECRET_KEYS=f" new:{OTHER}, old:{KEY} ,").secret_keys) == ["new", "old"]


def test_a_made_key_is_taken() -> None:
    assert len(read(RMM_SECRET_KEYS=new_key()).secret_keys) == 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        ",",
        " , ",
        "k1",
        "k1:",
        f":{KEY}",
        "k1:not base64!",
        f"k1:{KEY[:-4]}",
        f"k1:{KEY},k2:{KEY[4:]}",
        f"k1:{KEY},k1:{OTHER}",
        5,
    ],
)
def test_wrong_secret_keys(value: Any) -> None:
    assert "RMM_SECRET_KEYS" in refused(RMM_SECRET_KEYS=value)


def test_a_wrong_key_is_not_quoted() -> None:
    assert "hunter2" not in refused(RMM_SECRET_KEYS="k1:hunter2")


@pytest.mark.parametrize(
    "key, value",
    [
        ("RMM_REDIS_URL", "http://localhost"),
        ("RMM_REDIS_URL", "localhost:6379"),
        ("RMM_REDIS_URL", "redis://"),
        ("RMM_REDIS_URL", 6379),
        ("RMM_PUBLIC_URL", "psa.example.com"),
        ("RMM_PUBLIC_URL", "ftp://psa.example.com"),
        ("RMM_PUBLIC_URL", "https://"),
        ("RMM_PUBLIC_URL", "https:psa.example.com"),
        ("RMM_PUBLIC_URL", "https:///rmm"),
        ("RMM_PUBLIC_URL", "https://[::1"),
        ("RMM_URL_PREFIX", ""),
        ("RMM_URL_PREFIX", "rmm"),
        ("RMM_URL_PREFIX", "/rmm/"),
        ("RMM_URL_PREFIX", "/"),
        ("RMM_URL_PREFIX", "/a b"),
        ("RMM_URL_PREFIX", None),
        ("RMM_ALLOWED_NETWORKS", "10.0.0.0/33"),
        ("RMM_ALLOWED_NETWORKS", "10.0.0.1/8"),
        ("RMM_ALLOWED_NETWORKS", "localhost"),
        ("RMM_ALLOWED_NETWORKS", None),
        ("RMM_ALLOWED_NETWORKS", 5),
        ("RMM_WEBHOOK_MAX_BYTES", 1023),
        ("RMM_WEBHOOK_MAX_BYTES", 2**24 + 1),
        ("RMM_WEBHOOK_MAX_BYTES", "much"),
        ("RMM_WEBHOOK_MAX_BYTES", None),
        ("RMM_WEBHOOK_MAX_BYTES", float("inf")),
        ("RMM_DETAIL_WAIT", -1),
        ("RMM_DETAIL_WAIT", 3601),
        ("RMM_DETAIL_WAIT", "two minutes"),
        ("RMM_DETAIL_WAIT", float("nan")),
        ("RMM_TACTICALRMM_BASE_URL", "tactical"),
        ("RMM_TACTICALRMM_BASE_URL", "redis://x"),
        ("RMM_NOBODY_BASE_URL", "https://x.example.com"),
    ],
)
def test_a_wrong_value_names_its_key(key: str, value: Any) -> None:
    message = refused(**{key: value})
    assert key in message
    assert message.endswith(".")


@pytest.mark.parametrize(
    "key, value, name, expected",
    [
        ("RMM_PUBLIC_URL", "https://psa.example.com/", "public_url", "https://psa.example.com"),
        ("RMM_PUBLIC_URL", "http://psa.example.com/sub//", "public_url", "http://psa.example.com/sub"),
        ("RMM_REDIS_URL", "rediss://:pw@host:6380/2", "redis_url", "rediss://:pw@host:6380/2"),
        ("RMM_REDIS_URL", "unix:///run/redis.sock", "redis_url", "unix:///run/redis.sock"),
        ("RMM_REDIS_URL", "", "redis_url", None),
        ("RMM_URL_PREFIX", "/tools/rmm", "url_prefix", "/tools/rmm"),
        ("RMM_WEBHOOK_MAX_BYTES", "4096", "webhook_max_bytes", 4096),
        ("RMM_DETAIL_WAIT", 0, "detail_wait", 0),
        ("RMM_BASE_TEMPLATE", "psa/base.html", "base_template", "psa/base.html"),
    ],
)
def test_right_values(key: str, value: Any, name: str, expected: Any) -> None:
    assert getattr(read(**{key: value}), name) == expected


@pytest.mark.parametrize("value", ["127.0.0.0/8, 10.1.0.0/16,", ["127.0.0.0/8", "10.1.0.0/16"]])
def test_networks(value: Any) -> None:
    found = [str(network) for network in read(RMM_ALLOWED_NETWORKS=value).allowed_networks]
    assert found == ["127.0.0.0/8", "10.1.0.0/16"]


def test_base_urls_are_by_provider() -> None:
    assert read(RMM_TACTICALRMM_BASE_URL="http://127.0.0.1:9/").base_urls == {
        "tacticalrmm": "http://127.0.0.1:9/"
    }
    assert read(RMM_TACTICALRMM_BASE_URL="").base_urls == {}


@pytest.mark.parametrize(
    "key, near",
    [
        ("RMM_SECRET_KEY", "RMM_SECRET_KEYS"),
        ("RMM_PUBLIC_URI", "RMM_PUBLIC_URL"),
        ("RMM_DETAILS_WAIT", "RMM_DETAIL_WAIT"),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(key: str, near: str) -> None:
    message = refused(**{key: "x"})
    assert message.startswith(f"{key} is not a setting")
    assert f"Did you mean {near}?" in message


def test_an_unknown_key_far_from_all_others_gets_no_suggestion() -> None:
    assert refused(RMM_XYZZY="1") == "RMM_XYZZY is not a setting of the RMM extension."


def test_other_configuration_is_none_of_ours() -> None:
    assert read(SECRET_KEY="x", FOO_RMM_BAR="y", rmm_public_url="z").public_url is None


def test_settings_show_no_secret() -> None:
    assert "kkk" not in repr(read(RMM_REDIS_URL="redis://:hunter2@h/0"))
    assert "hunter2" not in repr(read(RMM_REDIS_URL="redis://:hunter2@h/0"))


def test_what_is_kept_how_long() -> None:
    assert read().keep == Keep(alerts=365, history=365, deliveries=30, quarantine=90, runs=90, audit=2555)
    assert read(RMM_KEEP_AUDIT="3650", RMM_KEEP_RUNS=7).keep == Keep(audit=3650, runs=7)


@pytest.mark.parametrize("name, shortest", SHORTEST.items())
def test_too_short_or_no_number_of_days_is_refused(name: str, shortest: int) -> None:
    key = f"RMM_KEEP_{name.upper()}"
    for value in (shortest - 1, 36_501, "for ever", "", None, -1):
        assert refused(**{key: value}) == f"{key} must be a whole number from {shortest} to 36500."
    others: dict[str, Any] = {"RMM_KEEP_HISTORY": 30, "RMM_KEEP_DELIVERIES": 1, "RMM_KEEP_QUARANTINE": 1}
    assert getattr(read(**others | {key: shortest}).keep, name) == shortest


@pytest.mark.parametrize("name", ["HISTORY", "DELIVERIES", "QUARANTINE"])
def test_nothing_outlives_the_alert_it_belongs_to(name: str) -> None:
    others = {"RMM_KEEP_HISTORY": 30, "RMM_KEEP_DELIVERIES": 1, "RMM_KEEP_QUARANTINE": 1}
    days = {"RMM_KEEP_ALERTS": 40, **others}
    assert read(**days | {f"RMM_KEEP_{name}": 40}).keep.alerts == 40
    assert f"RMM_KEEP_{name} must not be longer than RMM_KEEP_ALERTS" in refused(
        **days | {f"RMM_KEEP_{name}": 41}
    )
