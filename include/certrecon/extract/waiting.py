"""Rows that wait before they may be written: names in memory, everything else in a file once it is much."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

import pyarrow as pa

from certrecon.errors import EvidenceError

IN_MEMORY = 4 * 2**20
"""Bytes that wait in memory; beyond that they go to a temporary file without a name, which nobody else can open."""

_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")


class WaitingRows:
    """Tables of one schema in their order.

    One column, which must not be on any disk yet, stays in memory, where its few different texts take little room.
    """

    def __init__(self, schema: pa.Schema, private: str) -> None:
        """Wait for tables.

        Args:
            schema: Their schema.
            private: The column that stays in memory.
        """
        self._place = schema.get_field_index(private)
        self._field = schema.field(private)
        self._private: list[pa.DictionaryArray] = []
        self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - `close` closes it
        self._writer = pa.ipc.new_stream(self._file, schema.remove(self._place), options=_PACKED)

    def add(self, table: pa.Table) -> None:
        """Let a table wait.

        Raises:
            EvidenceError: The temporary file cannot take it.
        """
        for batch in table.combine_chunks().to_batches():
            self._private.append(batch.column(self._place).dictionary_encode())
            self._write(pa.Table.from_batches([batch]).remove_column(self._place))

    def _write(self, table: pa.Table) -> None:
        try:
            self._writer.write_table(table)
        except OSError as error:
            reason = error.strerror or "it cannot be written"
            message = (
                f"What is read of 4HSE does not fit into the folder for temporary files: {reason}. Make room there, or "
                "name another folder in TMPDIR, and clear the whole run."
            )
            raise EvidenceError(message) from error

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows, some at a time; none may be added any more."""
        self._writer.close()
        self._file.seek(0)
        with pa.ipc.open_stream(self._file) as stream:
            for batch, private in zip(stream, self._private, strict=True):
                yield pa.Table.from_batches([batch]).add_column(
                    self._place, self._field, private.cast(self._field.type)
                )

    def close(self) -> None:
        """Forget the rows."""
        self._private.clear()
        self._file.close()
