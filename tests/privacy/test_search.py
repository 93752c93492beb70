"""The search finds what is planted: each spelling, each kind of place. A search that finds nothing proves nothing."""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text

from tests.privacy import places
from tests.privacy.canaries import HEAD, TAIL, Aviary, Kind
from tests.privacy.places import Place, PlaceKind, unpacked
from tests.privacy.search import Search
from tests.privacy.watching import Arguments, everything_logged

BIRDS = Aviary()
SECRET = BIRDS.plant(Kind.SECRET, "the self-test")
BIRTH = BIRDS.literal(Kind.BIRTH_DATE, "the self-test", "1911-11-13", "13.11.1911")

SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "upper case": lambda text: text.upper().encode(),
    "UTF-16, little end first": lambda text: text.encode("utf-16-le"),
    "UTF-16, big end first": lambda text: text.encode("utf-16-be"),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64, a byte later": lambda text: base64.b64encode(b"x" + text.encode()),
    "base64, two bytes later": lambda text: base64.b64encode(b"xy" + text.encode()),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(b"user:" + text.encode()),
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "as PostgreSQL prints bytes": lambda text: b"\\x" + text.encode().hex().upper().encode(),
    "in an address": lambda text: quote(text).encode(),
    "every byte percent-escaped": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "JSON": lambda text: json.dumps(text).encode(),
    "JSON, every character escaped": lambda text: "".join(f"\\u{ord(one):04x}" for one in text).encode(),
    "numeric entities": lambda text: "".join(f"&#{ord(one)};" for one in text).encode(),
    "hexadecimal entities": lambda text: "".join(f"&#x{ord(one):x};" for one in text).encode(),
}


def found(*some: Place) -> set[Kind | None]:
    """Return the kinds of what is found in places."""
    return {hit.canary.kind if hit.canary else None for hit in Search(BIRDS).look(some)}


def log_of(data: bytes) -> Place:
    return Place("self-test", PlaceKind.LOG, b"before " + data + b" after")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_found(spelling: str) -> None:
    assert found(log_of(SPELLINGS[spelling](SECRET)))


@pytest.mark.parametrize(
    "piece",
    [SECRET[: SECRET.index(TAIL)], SECRET[SECRET.index(HEAD) + 3 :]],
    ids=["cut at the end", "cut at the beginning"],
)
def test_half_a_canary_is_found(piece: str) -> None:
    assert found(log_of(piece.encode())) == {Kind.SECRET}


def test_a_canary_without_a_core_is_found() -> None:
    assert found(log_of(b"born 13.11.1911")) == {Kind.BIRTH_DATE}
    assert found(Place("self-test", PlaceKind.WAREHOUSE, BIRTH.encode())) == {Kind.BIRTH_DATE}
    assert found(Place("self-test", PlaceKind.INPUTS, BIRTH.encode())) == set()


def test_what_is_no_canary_is_not_found() -> None:
    assert found(log_of(b"zqxk vwjq 1911-11-14")) == set()


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"column": [None, "x" * 5000, SECRET] * 50}), sink, compression="zstd")
    return sink.getvalue()


def _zip() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<si>{'y' * 5000}{SECRET}</si>")
        archive.writestr("inner.parquet", _parquet())
    return sink.getvalue()


@pytest.mark.parametrize("pack", [_parquet, _zip, lambda: gzip.compress(_zip())], ids=["Parquet", "zip", "gzip"])
def test_it_is_found_in_what_is_packed(pack: Callable[[], bytes]) -> None:
    assert Kind.SECRET in found(*unpacked("self-test", PlaceKind.OUTCOME, pack()))


def test_it_is_found_in_files_of_evidence_and_of_airflow(tmp_path: Path) -> None:
    wanted = {
        "evidence/1/inputs/links-1.parquet": PlaceKind.INPUTS,
        "evidence/1/inputs/manifest.json": PlaceKind.MANIFEST,
        "evidence/1/outcome/claims-1.parquet": PlaceKind.OUTCOME,
        "evidence/1/outcome/report-1.html": PlaceKind.REPORT,
        "var/logs/run.log": PlaceKind.LOG,
        "var/quickstart.json": PlaceKind.OTHER,
    }
    for name in wanted:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SECRET, encoding="utf-8")
    some = [*places.files(tmp_path / "evidence"), *places.airflow_home(tmp_path / "var")]
    assert {hit.place_kind for hit in Search(BIRDS).look(some)} == set(wanted.values())


def test_it_is_found_in_the_metadata_database(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "airflow.db") as conn:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("CREATE TABLE xcom (key TEXT, value BLOB)")
        conn.execute("INSERT INTO xcom VALUES ('return_value', ?)", (json.dumps({"a": SECRET}).encode(),))
        conn.commit()
        assert Kind.SECRET in found(*places.airflow_home(tmp_path))


@pytest.mark.parametrize("kind", ["text", "jsonb", "bytea", "text[]"])
def test_it_is_found_in_every_schema_of_the_warehouse(warehouse: Engine, kind: str) -> None:
    value = {"text": SECRET, "jsonb": json.dumps([SECRET]), "bytea": SECRET.encode(), "text[]": [SECRET]}[kind]
    with warehouse.begin() as conn:
        conn.execute(text("CREATE SCHEMA elsewhere"))
        conn.execute(text(f"CREATE TABLE elsewhere.planted (it {kind})"))
        conn.execute(text(f"INSERT INTO elsewhere.planted VALUES (CAST(:it AS {kind}))"), {"it": value})
    assert found(*places.warehouse(warehouse))


def test_it_is_found_behind_an_exception() -> None:
    def fail() -> None:
        try:
            int(SECRET)
        except ValueError:
            raise KeyError("told") from None

    with pytest.raises(KeyError) as raised:
        fail()
    assert found(places.exception("self-test", raised.value)) == {Kind.SECRET}


def test_it_is_found_in_what_any_logger_says(tmp_path: Path) -> None:
    quiet = logging.getLogger("somebody.elses.library")
    quiet.setLevel(logging.ERROR)
    with everything_logged(tmp_path / "all.log"):
        quiet.debug("sent %s", BIRTH)
        try:
            int(SECRET)
        except ValueError:
            quiet.exception("failed")
    assert quiet.level == logging.ERROR
    assert found(*places.files(tmp_path, PlaceKind.LOG)) == {Kind.SECRET, Kind.BIRTH_DATE}


def test_it_is_found_in_the_arguments_of_a_process() -> None:
    word = BIRDS.plant(Kind.SECRET, "an argument", "{core}")
    command = [sys.executable, "-c", "import time; time.sleep(60)", word]
    with Arguments() as arguments, subprocess.Popen(command) as process:
        deadline = time.monotonic() + 30
        while not any(word.encode() in seen for seen in arguments.seen) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
    assert Kind.SECRET in found(Place("arguments", PlaceKind.ARGUMENTS, b"\n".join(arguments.seen)))
