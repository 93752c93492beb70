"""Which addresses may be trusted with credentials."""

from __future__ import annotations

import pytest

from certrecon.api.endpoint import AccessToken, DitioEndpoint, FourHseEndpoint, PasswordGrant, parse_base_url
from certrecon.errors import ConnectionSettingsError

GOOD = [
    ("https://service.4hse.com", "https://service.4hse.com"),
    ("https://core-api.ditio.app/core/", "https://core-api.ditio.app/core"),
    (" https://host:8443/a/b// ", "https://host:8443/a/b"),
    ("http://127.0.0.1:8080/4hse", "http://127.0.0.1:8080/4hse"),
    ("http://localhost", "http://localhost"),
    ("http://[::1]:9/x", "http://[::1]:9/x"),
]
BAD = [
    ("file:///etc/passwd", "must start with https://"),
    ("ftp://host", "must start with https://"),
    ("service.4hse.com", "must start with https://"),
    ("https://", "names no host"),
    ("https://ho st", "names no host"),
    ("https://host:notaport", "not a usable address"),
    ("https://user:hush@host", "without user, password"),
    ("https://host/?key=hush", "without user, password"),
    ("https://host/#hush", "without user, password"),
    ("http://example.com", "plain http"),
    ("http://127.0.0.1.example.com", "plain http"),
    ("http://192.168.1.4", "plain http"),
]


@pytest.mark.parametrize(("url", "expected"), GOOD, ids=[url for url, _ in GOOD])
def test_good_addresses(url: str, expected: str) -> None:
    assert parse_base_url(url, where="host of the connection 'x'") == expected


@pytest.mark.parametrize(("url", "words"), BAD, ids=[url for url, _ in BAD])
def test_bad_addresses(url: str, words: str) -> None:
    with pytest.raises(ConnectionSettingsError, match="host of the connection 'x'") as raised:
        parse_base_url(url, where="host of the connection 'x'")
    assert words in str(raised.value)
    assert "hush" not in str(raised.value)


def test_plain_http_is_spoken_where_the_connection_allows_it() -> None:
    assert parse_base_url("http://example.com", where="x", allow_http=True) == "http://example.com"


@pytest.mark.parametrize(
    "endpoint",
    [
        FourHseEndpoint("https://h", PasswordGrant("https://t", "c", "u", "hush-1", "hush-2")),
        FourHseEndpoint("https://h", AccessToken("hush-1")),
        DitioEndpoint("https://h", "https://t", "c", "hush-1"),
    ],
    ids=["password grant", "access token", "ditio"],
)
def test_no_secret_is_in_a_repr(endpoint: FourHseEndpoint | DitioEndpoint) -> None:
    assert "hush" not in repr(endpoint)
    assert all(secret.startswith("hush") for secret in endpoint.secrets)


def test_a_token_url_must_be_as_trusted_as_the_address() -> None:
    with pytest.raises(ConnectionSettingsError, match="token_url is plain http"):
        DitioEndpoint("https://h", "http://elsewhere.example", "c", "s")
    with pytest.raises(ConnectionSettingsError, match="token_url is plain http"):
        FourHseEndpoint("https://h", PasswordGrant("http://elsewhere.example", "c", "u", "p"))
