"""A connection that cannot be used is named in its error, and nothing of it is repeated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certrecon.errors import CertreconError, ConnectionSettingsError
from certrecon.warehouse.engine import connect_engine, transaction
from certrecon_plugin.hooks.ditio import DitioHook
from certrecon_plugin.hooks.fourhse import FourHseHook
from certrecon_plugin.resources import warehouse_url
from certrecon_quickstart import migrations
from tests.privacy import places
from tests.privacy.canaries import Aviary, Kind
from tests.privacy.places import Place, PlaceKind
from tests.privacy.search import Search, told
from tests.privacy.watching import everything_logged

READERS: dict[str, Callable[[], Any]] = {
    "fourhse_default": lambda: FourHseHook().endpoint(),
    "ditio_default": lambda: DitioHook().endpoint(),
    "warehouse_default": warehouse_url,
}
BROKEN = {
    "JSON without its end": '{{"conn_type": "x", "password": "{word}"',
    "no JSON object": '["{word}"]',
    "port that is no number": "x://user:name@host:{word}/db",
    "password with a slash": "x://user:{word}/more@host:5432/db",
    "password with a bracket": "x://user:[{word}@host:5432/db",
    "extra that is no JSON": '{{"conn_type": "x", "host": "h", "password": "{word}", "extra": "{word}"}}',
    "port as text": '{{"conn_type": "x", "host": "h", "port": "{word}"}}',
    "unknown key": '{{"conn_type": "x", "host": "h", "{word}": "{word}"}}',
    "address with a user": '{{"conn_type": "x", "host": "https://user:{word}@host", "login": "l", "password": "p",'
    ' "extra": {{"token_url": "https://user:{word}@host/token", "client_id": "c"}}}}',
    "address with a query": '{{"conn_type": "x", "host": "https://host/?access-token={word}", "login": "l",'
    ' "password": "{word}", "extra": {{"token_url": "https://host/token", "client_id": "c"}}}}',
    "address that is none": '{{"conn_type": "x", "host": "ht!tp://{word}:{word}", "password": "{word}"}}',
}


def the_hits(birds: Aviary, log: Path, error: BaseException | None) -> str:
    """Return what is found in a log and an exception."""
    some = [Place("log", PlaceKind.LOG, log.read_bytes())]
    return told(Search(birds).look([*some, *([places.exception("raised", error)] if error else [])]))


@pytest.mark.parametrize("connection", READERS)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_connection_is_not_repeated(
    connection: str, broken: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    birds = Aviary()
    word = birds.plant(Kind.SECRET, broken, "{core}")
    monkeypatch.setenv(f"AIRFLOW_CONN_{connection.upper()}", BROKEN[broken].format(word=word))
    with everything_logged(tmp_path / "all.log"), pytest.raises(ConnectionSettingsError) as raised:
        READERS[connection]()
    assert the_hits(birds, tmp_path / "all.log", raised.value) == ""


WAREHOUSES = {
    "wrong password": "postgresql://certrecon:{word}@{host}:{port}/postgres",
    "nobody listens": "postgresql://certrecon:{word}@127.0.0.1:9/postgres",
    "no such host": "postgresql://certrecon:{word}@nowhere.invalid:5432/postgres",
    "port that is no number": "postgresql://certrecon:secret@host:{word}/postgres",
    "password with a slash": "postgresql://certrecon:{word}/more@host:5432/postgres",
    "option that libpq does not know": "postgresql://certrecon:{word}@{host}:{port}/postgres?passwrod={word}",
}


@pytest.mark.parametrize("case", WAREHOUSES)
def test_a_warehouse_that_refuses_is_not_told_the_password_again(case: str, postgres_url: str, tmp_path: Path) -> None:
    birds = Aviary()
    word = birds.plant(Kind.SECRET, case, "{core}")
    place = postgres_url.rpartition("@")[2].partition("/")[0]
    host, _, port = place.partition(":")
    url = WAREHOUSES[case].format(word=word, host=host, port=port)

    def connect() -> None:
        with transaction(connect_engine(url)):
            pass

    with everything_logged(tmp_path / "all.log"), pytest.raises(CertreconError) as raised:
        connect()
    assert the_hits(birds, tmp_path / "all.log", raised.value) == ""


@pytest.mark.parametrize("broken", [name for name in BROKEN if "extra" not in name])
def test_the_quick_start_does_not_repeat_a_broken_warehouse(broken: str, tmp_path: Path) -> None:
    birds = Aviary()
    word = birds.plant(Kind.SECRET, broken, "{core}")
    with everything_logged(tmp_path / "all.log"), pytest.raises(CertreconError) as raised:
        migrations.migrate_warehouse(BROKEN[broken].format(word=word))
    assert the_hits(birds, tmp_path / "all.log", raised.value) == ""
