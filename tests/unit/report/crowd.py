"""A large run, made by arithmetic: as many claims as asked for, and all else that a report is made from."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa

from certrecon.claims.inputs import EMPLOYEES, LINKS, PERSONS
from certrecon.dispositions.decide import DECIDED
from certrecon.report import DatasetTotal, ReportInputs, RunHead
from certrecon.report.model import DANGLING, LEDGER_AFTER, RUNS, PreviousRun
from certrecon.words import Mode

DAY = dt.date(2026, 11, 23)
RUN = 400
TYPES = ("Byggekort", "Kranførerbevis", "Brannvern", *(f"Type {number}" for number in range(20)))
_FAMILIES = tuple(f"{a}{b}" for a in ("Nord", "Sør", "Øst", "Vest", "Berg", "Dal", "Hav", "Lund", "Ås", "Sol")
                  for b in ("mann", "sen", "stad", "vik", "heim", "bakk", "nes", "rud", "moen", "li"))  # fmt: skip
_GIVEN = tuple(f"{a}{b}" for a in ("Kar", "An", "Ol", "Gu", "In", "Per", "Li", "Si", "Tor", "Mar")
               for b in ("i", "e", "a", "ger", "stein", "bjørn", "dis", "unn", "vald", "mund"))  # fmt: skip


def _texts(prefix: str, numbers: np.ndarray) -> pa.Array:
    return pa.array(np.char.add(prefix, np.char.zfill(numbers.astype(str), 7)).astype(object), pa.string())


def _drawn(words: tuple[str | None, ...], places: np.ndarray) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(places % len(words)))


def _findings(blocked: np.ndarray, claims: int) -> pa.Array:
    kinds: tuple[list[str], ...] = (
        ["EMPLOYEE_UNKNOWN"],
        ["TYPE_UNMAPPED"],
        ["ISSUED_INVALID"],
        ["EXPIRED", "NAME_MISMATCH"],
        [],
    )
    place = np.where(blocked, np.arange(claims) // 10 % 4, 4)
    return pa.array(kinds, pa.list_(pa.string())).take(pa.array(place))


def _claims(count: int) -> pa.Table:
    number = np.arange(count)
    person = number // 10
    blocked = number % 100 < 12
    held = number % 100 >= 97
    family, given = _drawn(_FAMILIES, person), _drawn(_GIVEN, person // 100)
    dispositions = np.where(blocked, "blocked", np.where(held, "held", "delivered")).astype(object)
    findings = _findings(blocked, count)
    columns = {
        "certificate_id": _texts("c", number),
        "certificate_type": _drawn(TYPES, number),
        "tenant_id": _drawn(tuple(f"tenant {place}" for place in range(20)), person),
        "certificate_name": _drawn(tuple(f"Course {place}" for place in range(200)), number),
        "action_type": _drawn(("TRAINING",), number),
        "resource_type": _drawn(("PERSON",), number),
        "resource_id": _texts("p", person),
        "person_id": _texts("p", person),
        "person_name": pa.compute.binary_join_element_wise(given, family, " "),
        "given_name": given,
        "family_name": family,
        "employee_number": _texts("", person),
        "ditio_employee_number": _texts("", person),
        "issued_on": pa.array(np.full(count, 20_000, np.int32)).cast(pa.date32()),
        "valid_until": pa.array((20_780 + number % 1_000).astype(np.int32)).cast(pa.date32()),
        "issued_received": _drawn(("2024-10-04",), number),
        "expiry_received": _drawn(("2027-10-04",), number),
        "expiry_source": pa.array(np.ones(count, np.int8)),
        "employees": pa.array(np.ones(count, np.int32)),
        "applicable": pa.array(np.ones(count, np.bool_)),
        "linked": pa.array(~held),
        "findings": findings,
        "disposition": pa.array(dispositions, pa.string()),
        "payload_sha256": _texts("d", number),
    }
    return pa.table([columns[name] for name in DECIDED.names], schema=DECIDED)


def _previous(claims: pa.Table) -> pa.Table:
    """Return the claims as they were: every 50th otherwise, the last hundredth not yet there."""
    names = ("certificate_id", "certificate_type", "tenant_id", "employee_number", "issued_on", "findings", "linked",
             "resource_id", "person_name")  # fmt: skip
    number = np.arange(claims.num_rows)
    before = claims.select(list(names))
    until = pa.array((20_780 + number % 1_000 - (number % 50 == 0)).astype(np.int32)).cast(pa.date32())
    was = claims.column("disposition").to_numpy()
    before = before.append_column("disposition", pa.array(np.where(number % 50 == 0, "blocked", was), pa.string()))
    before = before.append_column("valid_until", until)
    before = before.append_column("since_run_seq", pa.array(RUN - 1 - number % 300, pa.int64()))
    return before.slice(0, claims.num_rows - claims.num_rows // 100)


def _people(count: int, schema: pa.Schema, **columns: pa.Array) -> pa.Table:
    nothing = pa.nulls(count, pa.string())
    return pa.table([columns.get(name, nothing) for name in schema.names], schema=schema)


def _runs() -> pa.Table:
    seqs = range(1, RUN)
    days = [DAY - dt.timedelta(RUN - seq) for seq in seqs]
    counts = json.dumps({"delivered": 850, "blocked": 120, "held": 30})
    rows = [
        (seq, day, "publish", "succeeded", False, 1000, counts, "s", seq, "c")
        for seq, day in zip(seqs, days, strict=True)
    ]
    return pa.Table.from_pylist([dict(zip(RUNS.names, row, strict=True)) for row in rows], schema=RUNS)


def crowd(count: int) -> ReportInputs:
    """Return a publishing run of `count` claims, 15 of 100 in the worklist."""
    claims = _claims(count)
    persons = count // 10
    number = np.arange(persons)
    family, given = _drawn(_FAMILIES, number), _drawn(_GIVEN, number // 100)
    links = claims.filter(claims.column("linked")).num_rows
    delivered = claims.filter(pa.compute.equal(claims.column("disposition"), "delivered"))
    ledger = {
        "employee_number": delivered.column("employee_number"),
        "certificate_type": delivered.column("certificate_type"),
        "state": pa.array(["acknowledged"] * delivered.num_rows),
        "acknowledged_payload_sha256": delivered.column("payload_sha256"),
        "acknowledged_certificate_id": delivered.column("certificate_id"),
        "acknowledged_tenant_id": delivered.column("tenant_id"),
        "run_seq": pa.array(np.full(delivered.num_rows, 3)),
    }
    head = RunHead(
        run_seq=RUN, run_id="crowd", mode=Mode.PUBLISH, target="5f2c" * 16, run_day=DAY, as_of=DAY, tenants=(),
        trigger="scheduled", triggered_by=None, code_version="0.1.0", settings_sha256="ab" * 32,
        inputs_sha256="cd" * 32, baseline=RUN - 1,
    )  # fmt: skip
    inputs = ReportInputs(
        head,
        (
            DatasetTotal("certificates", None, count, count),
            DatasetTotal("links", None, links, links),
            DatasetTotal("persons", None, persons, persons),
            DatasetTotal("employees", None, persons, persons),
        ),
        claims,
    )
    linked = claims.filter(claims.column("linked"))
    return replace(
        inputs,
        previous=PreviousRun(RUN - 1, DAY - dt.timedelta(1), "succeeded"),
        runs=_runs(),
        previous_claims=_previous(claims),
        dangling_links=DANGLING.empty_table(),
        employees=_people(
            persons,
            EMPLOYEES,
            employee_number=_texts("", number + persons // 2),
            first_name=given,
            last_name=family,
        ),
        persons=_people(
            persons,
            PERSONS,
            person_id=_texts("p", number),
            number=_texts("", number),
            first_name=given,
            last_name=family,
        ),
        links=_people(
            links,
            LINKS,
            certificate_id=linked.column("certificate_id"),
            tenant_id=linked.column("tenant_id"),
            action_code=_drawn(tuple(f"A{place}" for place in range(100)), np.arange(links)),
            action_type=_drawn(("TRAINING",), np.arange(links)),
        ),
        ledger=pa.table(list(ledger.values()), schema=LEDGER_AFTER),
        types=TYPES,
    )
