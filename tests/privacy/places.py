"""Everything a run leaves behind, as places to search: files unpacked, tables and metadata as text, exceptions."""

from __future__ import annotations

import io
import sqlite3
import tempfile
import traceback
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, text

_TABLES = """
    SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
     ORDER BY 1, 2"""


class PlaceKind(StrEnum):
    """Kinds of places; `search` says which canary may be in which."""

    LOG = "log"
    PRINTED = "printed"
    EXCEPTION = "exception"
    ARGUMENTS = "process arguments"
    METADATA = "Airflow's metadata"
    INPUTS = "evidence inputs"
    MANIFEST = "manifest"
    OUTCOME = "evidence outcome"
    REPORT = "report"
    WAREHOUSE = "warehouse"
    OTHER = "other file"


@dataclass(frozen=True)
class Place:
    """Bytes to search.

    Attributes:
        name: Where they are.
        kind: What kind of place that is.
        data: The bytes.
    """

    name: str
    kind: PlaceKind
    data: bytes


def unpacked(name: str, kind: PlaceKind, data: bytes) -> Iterator[Place]:
    """Yield some bytes as they are and as what they hold: values, members, rows."""
    yield Place(name, kind, data)
    if data[:4] == b"PAR1":
        yield Place(f"{name}:values", kind, _values(data))
    elif data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from unpacked(f"{name}:{member}", kind, archive.read(member))
    elif data[:15] == b"SQLite format 3":
        yield Place(f"{name}:rows", kind, _dump(data))
    elif data[:2] in {b"\x1f\x8b", b"\x78\x9c"}:
        yield from unpacked(f"{name}:inflated", kind, zlib.decompress(data, wbits=zlib.MAX_WBITS | 32))


def _values(data: bytes) -> bytes:
    table = pq.read_table(pa.BufferReader(data))
    columns = ("\n".join(map(str, table.column(name).to_pylist())) for name in table.column_names)
    return "\n".join([str(table.schema), *columns]).encode("utf-8", "surrogatepass")


def _dump(data: bytes) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".db") as copy:
        copy.write(data)
        copy.flush()
        with closing(sqlite3.connect(f"file:{copy.name}?mode=ro", uri=True)) as conn:
            conn.text_factory = lambda raw: raw.decode("utf-8", "replace")
            return "\n".join(conn.iterdump()).encode()


def evidence_kind(path: Path) -> PlaceKind:
    """Return which kind of place a file of the evidence is."""
    if path.name == "manifest.json":
        return PlaceKind.MANIFEST
    if path.parent.name == "inputs":
        return PlaceKind.INPUTS
    report = path.suffix in {".html", ".xlsx", ".csv", ".zip", ".txt"} or path.name.startswith(("report", "summary"))
    return PlaceKind.REPORT if report else PlaceKind.OUTCOME


def files(folder: Path, kind: PlaceKind | None = None) -> Iterator[Place]:
    """Yield every file below a folder; without a kind it is a folder of evidence."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield from unpacked(str(path.relative_to(folder)), kind or evidence_kind(path), path.read_bytes())


def airflow_home(var: Path) -> Iterator[Place]:
    """Yield every file of a project's `var/`: logs, the metadata database, whatever else is there."""
    for path in sorted(var.rglob("*")):
        if path.is_file() and not path.is_symlink():
            is_log = path.suffix == ".log" or "logs" in path.relative_to(var).parts
            kind = PlaceKind.METADATA if ".db" in path.name else PlaceKind.LOG if is_log else PlaceKind.OTHER
            yield from unpacked(str(path.relative_to(var)), kind, _with_journal(path))


def _with_journal(path: Path) -> bytes:
    """Return a file; of an SQLite database what its journal still holds is in it."""
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()


def warehouse(engine: Engine) -> Iterator[Place]:
    """Yield every table and view of every schema as text."""
    with engine.connect() as conn:
        for schema, name in conn.execute(text(_TABLES)).all():
            rows = conn.execute(text(f'SELECT t::text FROM "{schema}"."{name}" t')).scalars()
            yield Place(f"{schema}.{name}", PlaceKind.WAREHOUSE, "\n".join(map(str, rows)).encode())


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and everything behind it, what `from None` hides included."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


def exception(name: str, error: BaseException) -> Place:
    """Return an exception as Airflow prints it, and the words and arguments of everything behind it."""
    texts = ["".join(traceback.format_exception(error))]
    texts += [f"{one!s}\n{one!r}\n{one.args!r}" for one in chain_of(error)]
    return Place(name, PlaceKind.EXCEPTION, "\n".join(texts).encode("utf-8", "replace"))
