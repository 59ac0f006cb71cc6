"""The HTTP client: retries, patience, redirects, sizes, shapes, secrets."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import ipaddress
import logging
import socket
import ssl
from pathlib import Path
from urllib.parse import parse_qs, quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rmm_extension.domain.errors import (
    AuthFailed,
    BadResponse,
    InvalidRequest,
    NotFound,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Unavailable,
)
from rmm_extension.providers import http
from rmm_extension.providers.http import HttpClient
from rmm_extension.providers.no_answer import ConnectionFailed, NameNotFound, TimedOut, TlsFailed
from rmm_extension.providers.reply import HtmlInsteadOfJson, Misshapen
from tests.providers.conftest import RUNTIME
from tests.providers.wire import answer, serve

KEY = "S3CRET-KEY-0123456789"


def client(url: str) -> HttpClient:
    return HttpClient(RUNTIME, url, headers={"X-API-KEY": KEY}, secrets=(KEY,))


def test_a_read_is_repeated_until_it_works() -> None:
    with (
        serve(lambda number: answer(503) if number < 2 else answer(body=b"[7]")) as wire,
        client(wire.url) as one,
    ):
        assert one.read("/x/").decode(list[int]) == [7]
    assert len(wire.heads) == 3


def test_a_read_is_repeated_a_bounded_number_of_times() -> None:
    with serve(answer(502)) as wire, client(wire.url) as one, pytest.raises(Unavailable) as caught:
        one.read("/x/")
    assert len(wire.heads) == 1 + http.RETRIES
    assert caught.value.status == 502


@pytest.mark.parametrize("status", [500, 501])
def test_other_server_errors_are_not_repeated(status: int) -> None:
    with serve(answer(status)) as wire, client(wire.url) as one, pytest.raises(Unavailable):
        one.read("/x/")
    assert len(wire.heads) == 1


def test_a_patch_that_reads_is_repeated_too() -> None:
    with serve(lambda number: answer(503 if number == 0 else 200)) as wire, client(wire.url) as one:
        one.read("/alerts/", method="PATCH", json={})
    assert [head.split()[0] for head in wire.heads] == ["PATCH", "PATCH"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("bad", [answer(503), answer(429, Retry_After="0"), b""])
def test_a_write_is_never_repeated(method: str, bad: bytes) -> None:
    with serve(bad) as wire, client(wire.url) as one, pytest.raises(ProviderError):
        one.write(method, "/x/", json={"a": 1})
    assert len(wire.heads) == 1


def test_a_form_is_sent_as_oauth_wants_it() -> None:
    given = {"grant_type": "refresh_token", "refresh_token": "a b&c"}
    with serve(answer()) as wire, client(wire.url) as one:
        one.write("POST", "/oauth/token", form=given)
    assert parse_qs(wire.bodies[0].decode()) == {name: [value] for name, value in given.items()}
    assert "content-type: application/x-www-form-urlencoded" in wire.heads[0].lower()


def test_a_short_wait_is_taken_here() -> None:
    first = answer(429, Retry_After="0")
    with serve(lambda number: first if number == 0 else answer()) as wire, client(wire.url) as one:
        one.read("/x/")
    assert len(wire.heads) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_wait_goes_back_to_the_job(status: int) -> None:
    error = pytest.raises((RateLimited, Unavailable))
    with serve(answer(status, Retry_After="3600")) as wire, client(wire.url) as one, error as caught:
        one.read("/x/")
    assert len(wire.heads) == 1
    if status == 429:
        assert isinstance(caught.value, RateLimited)
        assert caught.value.retry_after == 3600


def test_a_wait_given_as_a_date_counts_from_the_servers_clock() -> None:
    now, then = "Sat, 21 Nov 2026 10:00:00 GMT", "Sat, 21 Nov 2026 10:02:00 GMT"
    with (
        serve(answer(429, Date=now, Retry_After=then)) as wire,
        client(wire.url) as one,
        pytest.raises(RateLimited) as caught,
    ):
        one.write("PUT", "/x/")
    assert caught.value.retry_after == 120


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, InvalidRequest),
        (401, AuthFailed),
        (403, PermissionMissing),
        (404, NotFound),
        (418, InvalidRequest),
    ],
)
def test_statuses_become_errors(status: int, kind: type[ProviderError]) -> None:
    with serve(answer(status)) as wire, client(wire.url) as one, pytest.raises(kind) as caught:
        one.read("/x/")
    assert caught.value.status == status
    assert caught.value.request_id
    assert caught.value.request_id in wire.heads[0]


def test_a_cut_body_is_read_again() -> None:
    cut = answer(body=b"[1, 2", Content_Length="900")
    with serve(lambda number: cut if number == 0 else answer(body=b"[1]")) as wire, client(wire.url) as one:
        assert one.read("/x/").decode(list[int]) == [1]
    with serve(cut) as wire, client(wire.url) as one, pytest.raises(Unavailable, match="cut off"):
        one.read("/x/")


def test_a_body_above_the_limit_is_not_read() -> None:
    error = pytest.raises(BadResponse, match="too large")
    with serve(answer(body=b"x" * 3_000_000)) as wire, client(wire.url) as one, error:
        one.read("/x/", max_body=1_000_000)


def test_a_packed_body_is_unpacked_and_its_real_size_counts() -> None:
    packed = gzip.compress(b"[" + b" " * 5_000_000 + b"]")
    with serve(answer(body=packed, Content_Encoding="gzip")) as wire, client(wire.url) as one:
        assert one.read("/x/").decode(list[int]) == []
        with pytest.raises(BadResponse, match="too large"):
            one.read("/x/", max_body=1_000_000)


def test_a_web_page_instead_of_json() -> None:
    page = answer(body=b"<!doctype html><p>hi", kind="text/html; charset=utf-8")
    with serve(page) as wire, client(wire.url) as one:
        reply = one.read("/x/")
    with pytest.raises(HtmlInsteadOfJson):
        reply.decode(list[int])


def test_another_shape_says_where() -> None:
    with serve(answer(body=b'[{"a": 1}, 3]')) as wire, client(wire.url) as one:
        reply = one.read("/x/")
    with pytest.raises(Misshapen) as caught:
        reply.decode(list[dict[str, int]])
    assert caught.value.path == "$[1]"
    assert "$[1]" in str(caught.value)


def test_half_a_document_is_a_bad_response() -> None:
    with serve(answer(body=b'[{"a"')) as wire, client(wire.url) as one, pytest.raises(BadResponse):
        one.read("/x/").decode(list[int])


def test_a_redirect_within_the_server_is_followed() -> None:
    moved = answer(301, Location="/y/")
    with serve(lambda number: moved if number == 0 else answer(body=b"[1]")) as wire, client(wire.url) as one:
        assert one.read("/x").decode(list[int]) == [1]
    assert wire.heads[1].startswith("GET /y/")


def test_a_redirect_in_a_circle_ends() -> None:
    with serve(answer(302, Location="/x/")) as wire, client(wire.url) as one, pytest.raises(ProviderError):
        one.read("/x/")
    assert len(wire.heads) <= 5


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/x", "https://127.0.0.1/x", "//evil.example/x"])
def test_a_key_never_follows_to_another_server(target: str) -> None:
    error = pytest.raises(BadResponse, match="credentials are not sent")
    with serve(answer(302, Location=target)) as wire, client(wire.url) as one, error:
        one.read("/x/")


@pytest.mark.parametrize("target", ["https://a.example:port/", "//[a.example/"])
def test_a_redirect_to_no_address_is_a_bad_response(target: str) -> None:
    error = pytest.raises(BadResponse, match="no address")
    with serve(answer(302, Location=target)) as wire, client(wire.url) as one, error:
        one.read("/x/")


def test_a_write_does_not_follow_redirects() -> None:
    with serve(answer(301, Location="/y/")) as wire, client(wire.url) as one, pytest.raises(BadResponse):
        one.write("PUT", "/x")
    assert len(wire.heads) == 1


@pytest.mark.parametrize("external_id", [".", ".."])
def test_an_id_of_dots_leads_to_no_other_object(external_id: str) -> None:
    path = f"/alerts/{quote(external_id, safe='')}/resolve"
    with serve(answer()) as wire, client(wire.url) as one:
        with pytest.raises(NotFound):
            one.read(path)
        with pytest.raises(NotFound) as caught:
            one.write("POST", path)
        with pytest.raises(NotFound), one.stream(f"{path}?of=all"):
            pass
        one.read("/alerts/a..b/.c/?of=../d")
    assert not caught.value.may_have_arrived
    assert len(wire.heads) == 1


def test_no_answer_in_words() -> None:
    with serve(answer()) as wire:
        gone = wire.url
    with client(gone) as one, pytest.raises(ConnectionFailed, match=r"refused or dropped.*\.$"):
        one.read("/x/")
    with (
        HttpClient(RUNTIME, "https://no-such-host.invalid") as one,
        pytest.raises(NameNotFound, match="was not found"),
    ):
        one.read("/x/")


def test_silence_becomes_a_time_out() -> None:
    hasty = dataclasses.replace(RUNTIME, read_timeout=0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with HttpClient(hasty, url, retries=0) as one, pytest.raises(TimedOut):
            one.read("/x/")


def test_a_cancelled_client_asks_nothing_more() -> None:
    with serve(answer()) as wire, client(wire.url) as one:
        one.cancel()
        with pytest.raises(Unavailable, match="cancelled"):
            one.read("/x/")
    assert wire.heads == []


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server context with a certificate that nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    folder: Path = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_a_self_signed_certificate_is_refused(self_signed: ssl.SSLContext) -> None:
    error = pytest.raises(TlsFailed, match="self-signed")
    with serve(answer(), tls=self_signed) as wire:  # noqa: SIM117
        with client(wire.url.replace("http:", "https:")) as one, error:
            one.read("/x/")
    assert wire.heads == []


def test_secrets_stay_out_of_errors_and_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f'{{"detail": "bad key {KEY}"}}'.encode()
    with serve(answer(400, body=echo)) as wire, client(wire.url) as one:
        with pytest.raises(InvalidRequest) as caught:
            one.read("/x/", params={"token": KEY})
        assert KEY not in repr(one)
        assert one.redact(f"a {KEY} b") == "a ••• b"
    assert KEY not in str(caught.value) + repr(caught.value.__dict__)
    assert KEY not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("rmm")
    )
