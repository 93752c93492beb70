"""Worlds of the oracle judged by the project's own functions in this process: no server, no warehouse."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import yaml

from certrecon.api.loop import run as run_async
from certrecon.claims.build import Claims, build_claims
from certrecon.claims.coded import coded_schema
from certrecon.claims.inputs import CERTIFICATES, LEDGER, LINKS, PERSONS, ClaimInputs
from certrecon.dispositions.decide import Decision, decide
from certrecon.dispositions.inputs import LOOKUPS, PREVIOUS_CLAIMS, DecisionInputs, Scope
from certrecon.dispositions.verdicts import Verdicts, collect
from certrecon.dispositions.withdrawals import find_withdrawn
from certrecon.extract.employees import extract_employees
from certrecon.settings import LoadedSettings, parse_settings
from certrecon.validation.results import SubjectResult
from certrecon.validation.run import validate
from certrecon.words import EmployeeSource, Subject
from tests.oracle import sources
from tests.oracle.world import Row, World


@dataclass
class Judged:
    """What came of one world.

    Attributes:
        claims: Claims and facts.
        verdicts: Who has which finding.
        decision: Claims with dispositions, and the plan.
        withdrawn: What is withdrawn.
    """

    claims: Claims
    verdicts: Verdicts
    decision: Decision
    withdrawn: pa.Table


def judge(*worlds: World, coded: bool = False) -> list[Judged]:
    """Judge worlds that share settings and day; Great Expectations looks at all their claims at once.

    Args:
        worlds: The worlds.
        coded: Whether texts come as numbers, as a run reads them from its evidence.
    """
    settings = parse_settings(yaml.safe_dump(worlds[0].settings, allow_unicode=True))
    as_of = worlds[0].as_of
    inputs = [_claim_inputs(world, settings) for world in worlds]
    if coded:
        inputs = [_as_read(one) for one in inputs]
    claims = [build_claims(one) for one in inputs]
    together = pa.concat_tables([one.facts for one in claims])
    results = [validate(subject, together, settings.settings, as_of) for subject in Subject]
    judged, start = [], 0
    for world, given, one in zip(worlds, inputs, claims, strict=True):
        part = slice(start, start + one.facts.num_rows)
        verdicts = collect([_part(result, part) for result in results], settings.settings)
        start = part.stop
        asked = _decision_inputs(world, given)
        decision = decide(one.facts, verdicts, asked, settings.settings)
        withdrawn = find_withdrawn(decision, verdicts, asked, settings.settings).entries
        judged.append(Judged(one, verdicts, decision, withdrawn))
    return judged


def _part(result: SubjectResult, part: slice) -> SubjectResult:
    found = {code: np.asarray(rows[part]) for code, rows in result.found.items()}
    return SubjectResult(result.subject, part.stop - part.start, found, result.document)


def tenants_of(world: World) -> list[str]:
    """Return the tenants that a world's run reads."""
    return world.tenant_ids or list(world.certificates)


def _claim_inputs(world: World, settings: LoadedSettings) -> ClaimInputs:
    shape = {
        "publish_action_types": [str(name) for name in settings.settings.publish_action_types],
        "ditio": {"company_id": settings.settings.ditio.company_id},
    }
    tenants = tenants_of(world)
    read = sources.read(world, tenants, shape)
    number = settings.settings.employee_match.person_field
    return ClaimInputs(
        certificates=_table(
            CERTIFICATES, [row | {"tenant_id": t} for t in tenants for row in read.certificates[t].values()]
        ),
        links=_table(LINKS, [row | {"tenant_id": t} for t in tenants for row in read.links[t].values()]),
        persons=_table(
            PERSONS,
            [row | {"project_id": t, "number": row.get(number)} for t in tenants for row in read.persons[t].values()],
        ),
        employees=_employees(world.employees, settings.settings.ditio.company_id),
        ledger=_ledger(world),
        settings=settings,
        as_of=world.as_of,
    )


def _as_read(inputs: ClaimInputs) -> ClaimInputs:
    return replace(
        inputs,
        certificates=inputs.certificates.cast(coded_schema(CERTIFICATES, "certificate_id")),
        links=inputs.links.cast(coded_schema(LINKS, "certificate_action_id", "certificate_id")),
        ledger=inputs.ledger.cast(coded_schema(LEDGER, "acknowledged_payload_sha256", "acknowledged_certificate_id")),
    )


def _as_received(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _table(schema: pa.Schema, rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist([{name: _as_received(row.get(name)) for name in schema.names} for row in rows], schema)


@dataclass
class _Kept:
    """Keeps a dataset in memory (a `certrecon.extract.datasets.DatasetWriter`)."""

    address: str = "memory"
    tables: list[pa.Table] = field(default_factory=list)

    @contextmanager
    def open_dataset(self, _name: str, schema: pa.Schema) -> Iterator[_Kept]:
        self.tables = [schema.empty_table()]
        yield self

    def write(self, table: pa.Table) -> None:
        self.tables.append(table)


@dataclass
class _ListedEmployees:
    """Ditio's employee list without Ditio."""

    rows: list[Row]
    is_sandbox: bool = True

    async def employees(self, _source: EmployeeSource) -> list[msgspec.Raw]:
        return [msgspec.Raw(json.dumps(row).encode()) for row in self.rows]


def _employees(rows: list[Row], company_id: str | None) -> pa.Table:
    kept = _Kept()
    run_async(extract_employees(_ListedEmployees(rows), EmployeeSource.EMPLOYEES_V5, company_id, kept))  # type: ignore[arg-type]
    return pa.concat_tables(kept.tables).combine_chunks()


def _moment(value: str | None) -> dt.datetime | None:
    return None if value is None else dt.datetime.fromisoformat(value)


def _ledger(world: World) -> pa.Table:
    first = next(iter(tenants_of(world)), None)
    rows = []
    for entry in world.ledger:
        acknowledged = entry["acknowledged_payload_sha256"] is not None
        own = {
            f"acknowledged_{name}": entry[name] for name in ("certificate_id", "person_id", "given_name", "family_name")
        }
        rows.append(
            {name: entry.get(name) for name in LEDGER.names}
            | (own if acknowledged else {})
            | {name: _moment(entry[name]) for name in ("acknowledged_at", "first_acknowledged_at")}
            | {"acknowledged_tenant_id": world.known.get(entry["certificate_id"], first) if acknowledged else None}
        )
    return pa.Table.from_pylist(rows, LEDGER)


def _decision_inputs(world: World, inputs: ClaimInputs) -> DecisionInputs:
    previous = [row | {"findings": [], "linked": True} for row in world.outside]
    lookups = [
        {"certificate_id": one, "outcome": "moved", "found_tenant_id": tenant, "why": "absent"}
        for one, tenant in world.lookups.items()
    ]
    return DecisionInputs(
        ledger=inputs.ledger,
        previous=pa.Table.from_pylist(previous, PREVIOUS_CLAIMS),
        lookups=pa.Table.from_pylist(lookups, LOOKUPS),
        scope=Scope(tuple(tenants_of(world)), bool(world.tenant_ids)),
        certificates=inputs.certificates.num_rows,
        resend=world.resend,
    )
