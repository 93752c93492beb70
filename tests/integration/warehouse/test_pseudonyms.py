"""A pseudonym takes the place of a person whose claims ended, in one way only, and in nobody else's rows."""

from __future__ import annotations

import datetime as dt
import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text

from certrecon.errors import IntegrityError
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.pseudonyms import Pseudonymisation, persons_past, pseudonymise, read_pseudonymisations
from certrecon.warehouse.records import read_records
from tests.integration.warehouse.samples import claims, finalise, one, opened_seq, query, write

TOMORROW = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
EMPTY = hashlib.sha256(b"").hexdigest()
LONG = "p" * 160
DETAIL = (
    '{"ditio_employee_number":" 0042","expiry_received":"2027-01-01","issued_received":null,"expiry_source":"link"}'
)


def night(engine: Engine, name: str, *rows: dict[str, Any]) -> int:
    """A finalised run that leaves these claims."""
    run_seq = opened_seq(engine, name)
    write(engine, run_seq, rows_of(*rows))
    finalise(engine, run_seq)
    return run_seq


def rows_of(*rows: dict[str, Any]) -> pa.Table:
    """Claims with the whole detail that runs write, which a digest covers."""
    return claims(*(row | {"detail": DETAIL} for row in rows))


def found(engine: Engine, before: dt.date = TOMORROW) -> list[str]:
    """The persons who are past."""
    with transaction(engine) as conn, closing(persons_past(conn, before)) as tables:
        return sorted(person for table in tables for person in table["resource_id"].to_pylist())


def do(engine: Engine, before: dt.date = TOMORROW) -> Pseudonymisation | None:
    """Pseudonymise who is past."""
    with transaction(engine) as reading, closing(persons_past(reading, before)) as tables:
        persons = next(iter(tables))
    with transaction(engine) as conn:
        return pseudonymise(conn, persons, before, "old")


def known(engine: Engine) -> list[tuple[Any, ...]]:
    """The names that can be searched."""
    return query(engine, "SELECT resource_id, person_name FROM reconciliation.claim_person ORDER BY 1, 2")


# --- who is past ---------------------------------------------------------------------------------------

PERSON: dict[str, Any] = {"certificate_id": "c1", "resource_id": "p1"}
OTHER: dict[str, Any] = {"certificate_id": "c2", "resource_id": "p2", "person_name": "Ola", "employee_number": "7"}


@pytest.mark.parametrize(
    ("first", "second", "past"),
    [
        pytest.param([PERSON, OTHER], [OTHER], ["p1"], id="the only claim ended"),
        pytest.param([PERSON, PERSON | {"certificate_id": "c9"}], [PERSON], [], id="another claim is open"),
        pytest.param([PERSON], [PERSON | {"disposition": "blocked"}], [], id="the claim goes on as another row"),
        pytest.param([PERSON | {"resource_type": "EQUIPMENT", "person_name": None, "employee_number": None}], [], [], id="equipment"),
        pytest.param([PERSON | {"resource_type": None, "person_name": None, "employee_number": None}], [], ["p1"], id="perhaps a person"),
        pytest.param([PERSON | {"resource_type": "OFFICE"}], [], ["p1"], id="a name is a person's whatever the type says"),
        pytest.param([PERSON | {"resource_id": None}], [], [], id="nobody"),
    ],
)  # fmt: skip
def test_who_is_past(
    warehouse: Engine, first: list[dict[str, Any]], second: list[dict[str, Any]], past: list[str]
) -> None:
    night(warehouse, "first", *first)
    night(warehouse, "second", *second)
    assert found(warehouse) == past
    assert found(warehouse, TOMORROW - dt.timedelta(days=1)) == [], "they ended today"


def test_a_claim_that_a_running_run_ended_has_not_ended_yet(warehouse: Engine) -> None:
    night(warehouse, "first", PERSON)
    run_seq = opened_seq(warehouse, "second")
    write(warehouse, run_seq, rows_of(OTHER))
    assert found(warehouse) == []
    finalise(warehouse, run_seq)
    assert found(warehouse) == ["p1"]


def test_the_same_person_id_of_two_targets_is_two_persons(warehouse: Engine) -> None:
    night(warehouse, "first", PERSON)
    elsewhere = opened_seq(warehouse, "elsewhere", target="target-b")
    write(warehouse, elsewhere, rows_of(PERSON), target="target-b")
    finalise(warehouse, elsewhere)
    night(warehouse, "second", OTHER)
    entry = do(warehouse)
    assert entry is not None
    assert (entry.persons, entry.claims) == (1, 1)
    assert query(warehouse, "SELECT target FROM reconciliation.claim WHERE resource_id = 'p1'") == [("target-b",)]
    assert ("p1", "Åse Øy") in known(warehouse)


# --- what is done --------------------------------------------------------------------------------------


def test_the_entrys_digest_by_hand(warehouse: Engine) -> None:
    night(warehouse, "first", PERSON, PERSON | {"certificate_id": "c9"})
    night(warehouse, "second", OTHER)
    entry = do(warehouse)
    rows = query(
        warehouse, "SELECT claim_id, pseudonym_sha256 FROM reconciliation.claim WHERE ended_run_seq = 2 ORDER BY 1"
    )
    spelled = b"".join(number.to_bytes(8, "big") + bytes(digest) for number, digest in rows)
    assert len(rows) == 2
    with transaction(warehouse) as conn:
        assert read_pseudonymisations(conn) == [entry]
    assert entry is not None
    assert entry.sha256 == hashlib.sha256(spelled).hexdigest()


def test_who_shares_the_beginning_of_a_long_id_keeps_the_name(warehouse: Engine) -> None:
    gone = PERSON | {"resource_id": LONG + "1", "person_name": "Kari"}
    stays = OTHER | {"resource_id": LONG + "2", "person_name": "Ola"}
    night(warehouse, "first", gone, stays)
    night(warehouse, "second", stays)
    entry = do(warehouse)
    assert entry is not None
    assert (entry.persons, entry.claims) == (1, 1)
    assert known(warehouse) == [(LONG, "Kari"), (LONG, "Ola")]
    night(warehouse, "third", PERSON)
    assert do(warehouse) is not None
    assert known(warehouse) == [("p1", "Åse Øy")]


def test_a_run_that_loads_claims_waits_until_the_names_are_gone(warehouse: Engine) -> None:
    night(warehouse, "first", PERSON)
    night(warehouse, "second", OTHER)
    run_seq = opened_seq(warehouse, "third")
    with ThreadPoolExecutor(1) as pool:
        with transaction(warehouse) as reading:
            [persons] = list(persons_past(reading, TOMORROW))
        with transaction(warehouse) as conn:
            assert pseudonymise(conn, persons, TOMORROW, "old") is not None
            loading = pool.submit(write, warehouse, run_seq, rows_of(PERSON, OTHER))
            with pytest.raises(TimeoutError):
                loading.result(0.3)
        assert loading.result(10) == (1, 0, 1)
    assert ("p1", "Åse Øy") in known(warehouse), "whoever comes back is found by name"


def test_who_came_back_meanwhile_keeps_everything(warehouse: Engine) -> None:
    night(warehouse, "first", PERSON)
    night(warehouse, "second", OTHER)
    with transaction(warehouse) as reading:
        [persons] = list(persons_past(reading, TOMORROW))
    night(warehouse, "third", PERSON, OTHER)
    with transaction(warehouse) as conn:
        assert pseudonymise(conn, persons, TOMORROW, "old") is None
    assert query(warehouse, "SELECT count(*) FROM reconciliation.claim WHERE resource_id = 'p1'") == [(2,)]


# --- the record of runs --------------------------------------------------------------------------------


def test_a_run_that_does_not_know_the_set_has_none_and_the_next_one_covers_all(warehouse: Engine) -> None:
    first = night(warehouse, "first", PERSON)
    second = night(warehouse, "second", OTHER)
    with transaction(warehouse) as conn:
        conn.execute(text("SET LOCAL session_replication_role = replica"))
        conn.execute(text("UPDATE reconciliation.run SET records = records - 'pseudonymisations'"))
    entry = do(warehouse)
    third = night(warehouse, "third", OTHER)
    with transaction(warehouse) as conn:
        records = [read_records(conn, run_seq) for run_seq in (first, second, third)]
    assert ["pseudonymisations" in one for one in records] == [False, False, True]
    assert entry is not None
    assert (records[2]["pseudonymisations"]["rows"], records[2]["pseudonymisations"]["upto"]) == (
        1,
        entry.pseudonymisation_id,
    )
    assert records[2]["pseudonymisations"]["sha256"] != EMPTY


# --- what the triggers let through ---------------------------------------------------------------------

_MARK = "pseudonymisation_id = 1, pseudonym_sha256 = sha256('x')"
_ID = "resource_id = 'pseudonym-' || gen_random_uuid()"
_DETAIL = """detail = jsonb_set(detail, '{ditio_employee_number}', 'null')"""
_REST = f"person_name = NULL, employee_number = NULL, {_DETAIL}"
_REFUSED = {
    "a name": f"{_ID}, person_name = 'Kari', employee_number = NULL, {_DETAIL}, {_MARK}",
    "the name left as it is": f"{_ID}, employee_number = NULL, {_DETAIL}, {_MARK}",
    "a number": f"{_ID}, person_name = NULL, employee_number = '1', {_DETAIL}, {_MARK}",
    "another id": f"resource_id = 'p7', {_REST}, {_MARK}",
    "an id and more": f"resource_id = 'pseudonym-' || gen_random_uuid() || '-p1', {_REST}, {_MARK}",
    "no id": f"resource_id = NULL, {_REST}, {_MARK}",
    "no mark": f"{_ID}, {_REST}",
    "Ditio's number left": f"{_ID}, person_name = NULL, employee_number = NULL, {_MARK}",
    "another detail": f"{_ID}, person_name = NULL, employee_number = NULL, detail = '{{}}', {_MARK}",
    "another day": f"{_ID}, {_REST}, valid_until = valid_until + 1, {_MARK}",
    "another outcome": f"{_ID}, {_REST}, disposition = 'held', {_MARK}",
    "another digest": f"{_ID}, {_REST}, row_sha256 = sha256('x'), {_MARK}",
    "another end": f"{_ID}, {_REST}, ended_run_seq = 1, {_MARK}",
    "no end": f"{_ID}, {_REST}, ended_run_seq = NULL, {_MARK}",
}


def change(engine: Engine, assignments: str, where: str) -> int:
    """Change claims as their owner would."""
    with transaction(engine) as conn:
        conn.execute(text("SET LOCAL ROLE certrecon_owner"))
        return conn.exec_driver_sql(f"UPDATE reconciliation.claim SET {assignments} WHERE {where}").rowcount


def test_only_a_whole_pseudonym_takes_the_place_of_a_person_and_only_once(warehouse: Engine) -> None:
    night(warehouse, "first", PERSON, OTHER)
    night(warehouse, "second", OTHER)
    wrong = []
    for name, assignments in _REFUSED.items():
        try:
            change(warehouse, assignments, "resource_id = 'p1'")
            wrong.append((name, "was allowed"))
        except IntegrityError as error:
            if "claim 1 is on the record" not in str(error):
                wrong.append((name, str(error)))
    assert wrong == []
    whole = f"{_ID}, {_REST}, {_MARK}"
    with pytest.raises(IntegrityError, match="claim 2 is on the record"):
        change(warehouse, whole, "resource_id = 'p2'")
    assert change(warehouse, whole, "resource_id = 'p1'") == 1
    with pytest.raises(IntegrityError, match="claim 1 is on the record"):
        change(warehouse, whole.replace("pseudonymisation_id = 1", "pseudonymisation_id = 2"), "claim_id = 1")
    assert one(warehouse, "SELECT person_name, pseudonymisation_id FROM reconciliation.claim WHERE claim_id = 1") == {
        "person_name": None,
        "pseudonymisation_id": 1,
    }


def test_an_end_and_a_pseudonym_are_not_set_at_once(warehouse: Engine) -> None:
    night(warehouse, "first", PERSON)
    with pytest.raises(IntegrityError, match="claim 1 is on the record"):
        change(warehouse, f"{_ID}, {_REST}, {_MARK}, ended_run_seq = 1", "claim_id = 1")


def test_the_name_of_somebody_with_claims_stays(warehouse: Engine) -> None:
    night(warehouse, "first", PERSON, OTHER)
    night(warehouse, "second", OTHER)
    for person in ("p1", "p2"):
        with pytest.raises(IntegrityError, match="stay while a claim names the person"), transaction(warehouse) as conn:
            conn.execute(
                text("DELETE FROM reconciliation.claim_person WHERE resource_id = :person"), {"person": person}
            )
    do(warehouse)
    assert known(warehouse) == [("p2", "Ola")]
