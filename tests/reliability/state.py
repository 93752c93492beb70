"""What two nights that came to the same have in common, and what is wrong where they have not."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from certrecon_sandbox.world import World
from tests.contract import warehouse as sql
from tests.oracle.world import Row

PAYLOAD = ("employeeNumber", "certificateType", "issuedDateTime", "validUntilDateTime", "certificateNumber")
NUMBERS = frozenset(
    {"claim_id", "first_run_seq", "ended_run_seq", "since_run_seq", "run_seq", "attempts", "http_status"}
)
"""Columns that say when, how often, and with which of the statuses of success, not what."""
FIGURES = (
    "certificates", "links", "persons", "employees", "claims", "withdrawn", "dispositions", "findings", "tenants",
)  # fmt: skip
Upserts = dict[tuple[str, str], tuple[str, ...]]


@dataclass(frozen=True)
class State:
    """What a night left behind, without the numbers of runs and rows and without moments.

    Attributes:
        claims: The open claims by certificate and type.
        ledger: The ledger by employee number and type.
        withdrawn: What is withdrawn, with its reason.
        ditio: The payloads that Ditio holds.
        figures: The run's own figures.
    """

    claims: dict[tuple[str, str], Row]
    ledger: dict[tuple[str, str], Row]
    withdrawn: list[tuple[str, str, str]]
    ditio: Upserts
    figures: Row


def upserts(world: World) -> Upserts:
    """Return what Ditio holds."""
    return {key: tuple(str(row[name]) for name in PAYLOAD) for key, row in world.upserts.items()}


def state_of(engine: Engine, world: World, run_seq: int) -> State:
    """Return the state after a run."""
    run = sql.run_row(engine, run_seq)
    return State(
        {(row["certificate_id"], row["certificate_type"] or ""): _plain(row) for row in sql.claims(engine)},
        {key: _plain(row) for key, row in sql.ledger(engine).items()},
        sql.withdrawn(engine),
        upserts(world),
        {name: run[name] for name in FIGURES},
    )


def _plain(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in NUMBERS and not isinstance(value, dt.datetime)}


def differences(calm: State, found: State) -> list[str]:
    """Say where a state is not that of the calm nights."""
    said: list[str] = []
    for name in ("claims", "ledger", "ditio", "figures"):
        said += _differing(name, getattr(calm, name), getattr(found, name))
    if calm.withdrawn != found.withdrawn:
        said.append(f"withdrawn: {set(calm.withdrawn) ^ set(found.withdrawn)}")
    return said


def _differing(name: str, calm: dict[Any, Any], found: dict[Any, Any]) -> list[str]:
    said = [f"{name}: {key} is lost" for key in calm.keys() - found.keys()]
    said += [f"{name}: {key} is invented" for key in found.keys() - calm.keys()]
    for key in calm.keys() & found.keys():
        if calm[key] != found[key]:
            said.append(f"{name}: {key}: {_changed(calm[key], found[key])}")
    return said


def _changed(calm: Any, found: Any) -> str:
    if isinstance(calm, dict) and isinstance(found, dict):
        names = [name for name in {**calm, **found} if calm.get(name) != found.get(name)]
        return ", ".join(f"{name} {calm.get(name)!r} -> {found.get(name)!r}" for name in names)
    return f"{calm!r} -> {found!r}"


def wrongly_acknowledged(engine: Engine, world: World) -> list[tuple[str, str]]:
    """Return ledger entries that claim to be acknowledged with a payload that Ditio does not hold."""
    held = upserts(world)
    return [
        key
        for key, row in sql.ledger(engine).items()
        if row["state"] == "acknowledged" and held.get(key) != tuple(str(row["payload"][name]) for name in PAYLOAD)
    ]


@dataclass
class Sendings:
    """The rows that were sent, and how many of them Ditio had acknowledged before with the same payload."""

    rows: int = 0
    needless: int = 0

    def __post_init__(self) -> None:
        """Start with nothing acknowledged."""
        self._acknowledged: dict[tuple[str, str], tuple[str, ...]] = {}

    def take(self, writes: list[Any]) -> None:
        """Count the writes of a night, in their order; Ditio refuses without a token before it reads the rows."""
        for write in (one for one in writes if one.body):
            rows = [tuple(str(row[name]) for name in PAYLOAD) for row in json.loads(bytes(write.body))]
            self.rows += len(rows)
            self.needless += sum(self._acknowledged.get(row[:2]) == row for row in rows)
            by_ditio = write.answered and "html" not in write.answer_type
            if by_ditio and write.status is not None and write.status < 300:
                self._acknowledged |= {row[:2]: row for row in rows}
