"""Files of one run in the evidence store: written once under a new name, read back by address.

The store is a folder or any fsspec store: whatever behaves like a `pathlib.Path` (Airflow's
`ObjectStoragePath`, `upath.UPath`, `pathlib.Path`). A retried task writes new files beside the old
ones; only the names in a manifest count. A file has its name only once it is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from certrecon.errors import EvidenceError

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
ROWS_A_GROUP = 131_072
"""How many rows of a stream are held at once, and make a row group."""


class Part(StrEnum):
    """The two sealed parts of a run's evidence."""

    INPUTS = "inputs"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file as it was written.

    Attributes:
        address: The path below the run's folder, such as `inputs/links-1f3a.parquet`.
        sha256: The digest of its bytes.
        size: Its length in bytes.
    """

    address: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A table that was written piece by piece, and how many rows it has."""

    file: WrittenFile
    rows: int


class _Digesting(io.RawIOBase):
    """Passes bytes on to a file and keeps their digest and count."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._digest = hashlib.sha256()
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._digest.update(view)
        self._size += len(view)
        self._target.write(view)
        return len(view)

    def tell(self) -> int:
        return self._size

    def written(self, address: str) -> WrittenFile:
        return WrittenFile(address, self._digest.hexdigest(), self._size)


@dataclass(slots=True)
class OpenFile:
    """A file being written; `written` is there once it is closed."""

    sink: io.RawIOBase
    written: WrittenFile | None = None


def highest_run(root: Any) -> int:
    """Return the highest run number that a store has evidence of, 0 without any.

    A store may have served another warehouse, whose runs must not be written over.

    Raises:
        EvidenceError: The store cannot be read.
    """
    try:
        names = [path.name for path in root.iterdir()] if root.exists() else []
    except OSError as error:
        message = f"Cannot read the evidence store {root}: {error.strerror or error}. Check the setting evidence.root."
        raise EvidenceError(message) from error
    return max((int(name) for name in names if name.isascii() and name.isdigit()), default=0)


class RunEvidence:
    """The evidence folder of one run."""

    def __init__(self, root: Any, run_seq: int) -> None:
        """Take the store's root (path-like) and the run's number."""
        self._folder = root / str(run_seq)

    @property
    def uri(self) -> str:
        """The folder's address, for the run row."""
        return str(self._folder)

    def path(self, address: str) -> Any:
        """Return the path of an address."""
        return self._folder / address

    def fresh_address(self, part: Part, stem: str, ending: str) -> str:
        """Return an address that no other try of any task has used."""
        return f"{part}/{stem}-{uuid.uuid4().hex[:12]}.{ending}"

    @contextlib.contextmanager
    def create(self, address: str) -> Iterator[OpenFile]:
        """Open a new file for writing bytes; readable by its owner only where the store is local."""
        path = self.path(address)
        try:
            for folder in (self._folder.parent, self._folder, path.parent):
                _make_private_folder(folder)
            with _whole(path) as target:
                sink = _Digesting(target)
                opened = OpenFile(sink)
                yield opened
                opened.written = sink.written(address)
        except OSError as error:
            message = f"Cannot write evidence file {path}: {error.strerror or error}. Check the evidence store."
            raise EvidenceError(message) from error

    def write_bytes(self, part: Part, stem: str, ending: str, data: bytes) -> WrittenFile:
        """Write bytes to a fresh file."""
        return self.write_at(self.fresh_address(part, stem, ending), data)

    def write_at(self, address: str, data: bytes) -> WrittenFile:
        """Write bytes to a given address, replacing what is there."""
        with self.create(address) as opened:
            opened.sink.write(data)
        return _finished(opened)

    def write_table(self, part: Part, stem: str, table: pa.Table) -> WrittenFile:
        """Write an Arrow table to a fresh Parquet file."""
        with self.create(self.fresh_address(part, stem, "parquet")) as opened:
            pq.write_table(table, opened.sink, compression="zstd")
        return _finished(opened)

    def write_pieces(self, part: Part, stem: str, schema: pa.Schema, pieces: Iterable[pa.Table]) -> WrittenTable:
        """Write the tables of a stream to a fresh Parquet file, as one table; not many rows are held at once."""
        rows = 0
        with (
            self.create(self.fresh_address(part, stem, "parquet")) as opened,
            pq.ParquetWriter(opened.sink, schema, compression="zstd") as writer,
        ):
            for group in _row_groups(pieces):
                writer.write_table(group.cast(schema), ROWS_A_GROUP)
                rows += group.num_rows
        return WrittenTable(_finished(opened), rows)

    def read_bytes(self, address: str, sha256: str | None = None) -> bytes:
        """Read a file, checked against its digest where one is given.

        Raises:
            EvidenceError: The file is missing or does not have that digest.
        """
        path = self.path(address)
        try:
            data: bytes = path.read_bytes()
        except OSError as error:
            message = f"Evidence file {path} is missing: {error.strerror or error}."
            raise EvidenceError(message) from error
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            message = f"Evidence file {path} was changed: it does not have the digest {sha256}."
            raise EvidenceError(message)
        return data

    def read_table(self, address: str, schema: pa.Schema, sha256: str | None = None) -> pa.Table:
        """Read the columns of `schema` from a Parquet file; texts come as numbers where it wants a dictionary.

        Raises:
            EvidenceError: The file is missing, changed, or no such Parquet file.
        """
        data = self.read_bytes(address, sha256)
        try:
            coded = [field.name for field in schema if pa.types.is_dictionary(field.type)]
            table = pq.read_table(pa.BufferReader(data), columns=schema.names, read_dictionary=coded)
            return table.select(schema.names).cast(schema)
        except (pa.ArrowException, KeyError, OSError) as error:
            raise self._unexpected(address, error) from error

    def read_pieces(self, address: str, schema: pa.Schema, sha256: str | None = None) -> Iterator[pa.Table]:
        """Yield what `read_table` returns, some rows at a time.

        Raises:
            EvidenceError: The file is missing, changed, or no such Parquet file.
        """
        data = self.read_bytes(address, sha256)
        try:
            with pq.ParquetFile(pa.BufferReader(data)) as file:
                for batch in file.iter_batches(ROWS_A_GROUP, columns=schema.names):
                    yield pa.Table.from_batches([batch]).select(schema.names).cast(schema)
        except (pa.ArrowException, KeyError, OSError) as error:
            raise self._unexpected(address, error) from error

    def _unexpected(self, address: str, error: Exception) -> EvidenceError:
        return EvidenceError(f"Evidence file {self.path(address)} is not what was expected: {error}")


def write_private(path: Any, data: bytes) -> None:
    """Write a file that belongs to no run, and its folder; readable by its owner only where the store is local.

    Raises:
        EvidenceError: The store cannot be written.
    """
    try:
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        path.write_bytes(data)
        _make_private(path)
    except OSError as error:
        message = f"Cannot write evidence file {path}: {error.strerror or error}. Check the evidence store."
        raise EvidenceError(message) from error


def _row_groups(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables of at least `ROWS_A_GROUP` rows, but for the last."""
    held: list[pa.Table] = []
    for piece in pieces:
        held.append(piece)
        if sum(one.num_rows for one in held) >= ROWS_A_GROUP:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _finished(opened: OpenFile) -> WrittenFile:
    if opened.written is None:
        message = "An evidence file was asked for before it was closed."
        raise EvidenceError(message)
    return opened.written


@contextlib.contextmanager
def _whole(path: Any) -> Iterator[IO[bytes]]:
    """Open a file that has its name only once it is whole, so that a kill or a full disk leaves no half one.

    Other stores than a folder do that by themselves.
    """
    if not _is_local(path):
        with path.open("wb") as target:
            yield target
        return
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}.part")
    try:
        with part.open("wb") as target:
            _make_private(part)
            yield target
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _is_local(path: Any) -> bool:
    return getattr(path, "protocol", "") in {"", "file", "local"}


def _make_private_folder(folder: Any) -> None:
    """Make a folder that is its owner's alone where it is local; one that is there keeps its rights.

    Not every path-like heeds `mode`, and none for the folders above the last.
    """
    is_new = _is_local(folder) and not folder.exists()
    folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    if is_new:
        folder.chmod(PRIVATE_FOLDER)


def _make_private(path: Any) -> None:
    """Take a local file from everybody but its owner; other stores have their own rights."""
    if _is_local(path):
        path.chmod(PRIVATE_FILE)
