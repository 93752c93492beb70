"""No address but https, or http on this machine, is given credentials unless the connection says so."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yarl import URL

from certrecon.api.endpoint import (
    AccessToken,
    DitioEndpoint,
    FourHseEndpoint,
    PasswordGrant,
    is_loopback,
    parse_base_url,
)
from certrecon.api.wire import Request, Timeouts, Wire
from certrecon.errors import ConnectionSettingsError
from certrecon_plugin.hooks.ditio import DitioHook
from certrecon_plugin.hooks.fourhse import FourHseHook
from tests.hostile.clients import assert_fit_to_show

LOOPBACK = ["http://localhost", "http://LOCALHOST:80", "http://127.0.0.1", "http://127.9.9.9", "http://[::1]"]
REFUSED = {
    "plain http": [
        "http://example.com",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.",
        "http://2130706433",
        "http://0x7f000001",
        "http://0177.0.0.1",
        "http://127.1",
        "http://１２７.0.0.1",
        "http://ⓛocalhost",
        "http://[::ffff:10.0.0.1]",
        "http://10.0.0.1",
        "http://169.254.169.254",
    ],
    "must start with https://": [
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        "ftp://host",
        "gopher://127.0.0.1:70/_x",
        "data:application/json,[]",
        "javascript:alert(1)",
        "unix:///var/run/docker.sock",
        "//host",
        "host",
        "",
    ],
    "without user, password": [
        "https://user:hush@host",
        "https://hush@host",
        "http://localhost:hush@evil.example",
        "http://evil.example\\@localhost",
        "http://localhost\\@evil.example",
        "https://host?token=hush",
        "https://host#hush",
    ],
    "names no host": [
        "https://",
        "https:///path",
        "https:host",
        "https://host\u202e.example",
        "https://host\x00.example",
        "https://ho\tst",
        "https://ho st",
        "https://a..b",
        "https://*",
        "https://%6cocalhost",
        "https://127.0.0.1;evil.example",
        f"https://{'a' * 64}.example",
        f"https://{'a.' * 127}example",
        "http://[::1%25evil.example]",
    ],
    "not a usable address": ["https://host:80:80", "https://host:99999", "https://[::1", "https://host:٨٠"],
}
CASES = [(words, url) for words, urls in REFUSED.items() for url in urls]
IDS = [ascii(url)[:40] for _, url in CASES]


@pytest.mark.parametrize("url", LOOPBACK)
def test_plain_http_on_this_machine(url: str) -> None:
    assert parse_base_url(url, where="x") == url


@pytest.mark.parametrize(("words", "url"), CASES, ids=IDS)
def test_refused(words: str, url: str) -> None:
    with pytest.raises(ConnectionSettingsError, match=words) as refused:
        parse_base_url(url, where="host of the connection 'x'")
    assert "hush" not in str(refused.value)
    assert_fit_to_show(str(refused.value))


@pytest.mark.parametrize(("words", "url"), CASES, ids=IDS)
def test_a_token_url_is_refused_alike(words: str, url: str) -> None:
    with pytest.raises(ConnectionSettingsError, match=words):
        FourHseEndpoint("https://h", PasswordGrant(url, "client", "user", "password"))
    with pytest.raises(ConnectionSettingsError, match=words):
        DitioEndpoint("https://h", url, "client", "secret")
    with pytest.raises(ConnectionSettingsError, match=words):
        FourHseEndpoint(url, AccessToken("token"))


@pytest.mark.parametrize(("words", "url"), [(words, url) for words, url in CASES if words != "plain http"])
def test_leave_for_plain_http_is_leave_for_nothing_else(words: str, url: str) -> None:
    with pytest.raises(ConnectionSettingsError, match=words):
        parse_base_url(url, where="x", allow_http=True)


HOSTILE = st.text(st.sampled_from("localhostevil127.0:/@\\#?%[]&;=٠。ⓛ \t\x00\u202e\ud800-_x"), max_size=40)


@settings(max_examples=1_000, deadline=None)
@example("localhost/@evil.example")
@example("localhost%2f@evil.example")
@given(HOSTILE)
def test_what_counts_as_this_machine_is_this_machine_for_the_client_too(rest: str) -> None:
    try:
        url = parse_base_url(f"http://{rest}", where="x")
    except ConnectionSettingsError as refused:
        assert_fit_to_show(str(refused))
        return
    assert is_loopback(urlsplit(url).hostname or "")
    assert is_loopback(URL(f"{url}/v2/certificate/index", encoded=True).host or "")


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_characters="/"), max_size=60))
def test_whatever_host_is_accepted_the_client_answers_for(host: str) -> None:
    """No server is reached: names that end in `.invalid` belong to nobody (RFC 2606)."""
    try:
        url = parse_base_url(f"https://{host}.invalid", where="x")
    except ConnectionSettingsError as refused:
        assert_fit_to_show(str(refused))
        return

    async def send() -> object:
        async with Wire(connections=1, timeouts=Timeouts(1.0, 1.0)) as wire:
            return await wire.send(Request("GET", f"{url}/v2/x"), total=5.0)

    assert "Fault" in type(asyncio.run(send())).__name__


def _connection(monkeypatch: pytest.MonkeyPatch, name: str, values: dict[str, object]) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(values))


@pytest.mark.parametrize("leave", ["true", "yes", 1, "1", {}, [True], None], ids=repr)
def test_only_true_in_the_connection_is_leave_for_plain_http(monkeypatch: pytest.MonkeyPatch, leave: object) -> None:
    fourhse = {"access_token": "hush-token", "allow_http": leave}
    _connection(
        monkeypatch, "fourhse_default", {"conn_type": "fourhse", "host": "http://evil.example", "extra": fourhse}
    )
    with pytest.raises(ConnectionSettingsError, match="allow_http"):
        FourHseHook().endpoint()
    fourhse["allow_http"] = True
    _connection(
        monkeypatch, "fourhse_default", {"conn_type": "fourhse", "host": "http://evil.example", "extra": fourhse}
    )
    assert FourHseHook().endpoint().base_url == "http://evil.example"


@pytest.mark.parametrize("url", ["http://evil.example/token", "file:///token", "https://u:hush@h/token"])
def test_the_hooks_refuse_a_token_url(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    values = {
        "host": "https://h",
        "login": "client",
        "password": "hush-password",
        "extra": {"token_url": url, "client_id": "c"},
    }
    for name, hook in (("fourhse", FourHseHook), ("ditio", DitioHook)):
        _connection(monkeypatch, f"{name}_default", {"conn_type": name, **values})
        with pytest.raises(ConnectionSettingsError, match=f"token_url' of the connection '{name}_default'") as refused:
            hook().endpoint()
        assert "hush" not in str(refused.value)
