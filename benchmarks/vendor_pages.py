"""Writes a sandbox world as ready HTTP answers, so that no server's own work is measured.

    python -m benchmarks.vendor_pages FOLDER CERTIFICATES TENANTS

`base/` is the world of the first night, `changed/` the same world with 1 % of its certificates changed. Both
are the same every time. A set is `answers.bin`, whole answers one after the other, and `places.json`, which says
where each lies.
"""

from __future__ import annotations

import datetime as dt
import gc
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks.telling import tell, timed
from certrecon_sandbox.change import change_share
from certrecon_sandbox.ditio.employees import OWN, PROJECT, employee_v5
from certrecon_sandbox.generate import generate_world
from certrecon_sandbox.table import Row, Table
from certrecon_sandbox.world import World, WorldSpec

DAY = dt.date(2026, 3, 2)
SEED = 1
CHANGED_SHARE = 0.01
PAGE_SIZE = 100
Place = tuple[int, int]


def answer(body: bytes, headers: Iterable[tuple[str, object]] = (), status: str = "200 OK") -> bytes:
    """Return a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json; charset=UTF-8", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class AnswerFile:
    """Appends answers to a file and says where they lie."""

    def __init__(self, file: BinaryIO) -> None:
        """Take the open file."""
        self._file = file

    def add(self, data: bytes) -> Place:
        """Append an answer."""
        start = self._file.tell()
        self._file.write(data)
        return start, len(data)

    def add_pages(self, table: Table, rows: list[Row]) -> list[Place]:
        """Append the pages of a list, with 4HSE's pagination headers."""
        keys = [row[table.key] for row in rows]
        pages = max(-(-len(keys) // PAGE_SIZE), 1)
        places = []
        for page in range(1, pages + 1):
            headers = (
                ("X-Pagination-Total-Count", len(keys)),
                ("X-Pagination-Page-Count", pages),
                ("X-Pagination-Current-Page", page),
                ("X-Pagination-Per-Page", PAGE_SIZE),
            )
            places.append(self.add(answer(table.encode(keys[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]), headers)))
        return places


def dangling(world: World, tenant: str) -> list[str]:
    """Return the certificates that links of a tenant name and that are not there."""
    links = world.links.where("tenant_id", tenant)
    return sorted({row["certificate_id"] for row in links if world.certificates.get(row["certificate_id"]) is None})


def _employees(world: World) -> bytes:
    rows = [employee_v5(row) for row in world.employees if row["kind"] in {OWN, PROJECT}]
    return json.dumps(rows, ensure_ascii=False).encode()


def write_set(world: World, folder: Path) -> None:
    """Write one world's answers."""
    folder.mkdir(parents=True, exist_ok=True)
    active = [row for row in world.projects if row["status"] == "active" and row.get("project_type") != "template"]
    indexes = {
        "certificate": (world.certificates, "tenant_id"),
        "certificate-action": (world.links, "tenant_id"),
        "person": (world.persons, "project_id"),
    }
    with (folder / "answers.bin").open("wb") as file:
        answers = AnswerFile(file)
        places: dict[str, Any] = {
            "project": {"": answers.add_pages(world.projects, active)},
            "employees": answers.add(answer(_employees(world), [("X-Certrecon-Sandbox", 1)])),
        }
        for entity, (table, column) in indexes.items():
            places[entity] = {
                row["project_id"]: answers.add_pages(table, table.where(column, row["project_id"])) for row in active
            }
        places["dangling"] = {row["project_id"]: dangling(world, row["project_id"]) for row in active}
        places["certificates"] = len(world.certificates)
    (folder / "places.json").write_text(json.dumps(places), encoding="utf-8")


def write_sets(folder: Path, certificates: int, tenants: int) -> None:
    """Write the first night's world and the changed one."""
    world = generate_world(WorldSpec(certificates, SEED, DAY, tenants))
    gc.freeze()
    write_set(world, folder / "base")
    change_share(world, CHANGED_SHARE, SEED)
    write_set(world, folder / "changed")


if __name__ == "__main__":
    where, size, spread = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    tell(timed(lambda: write_sets(where, size, spread))[0])
