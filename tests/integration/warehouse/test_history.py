"""Claims open, change, close, and stay untouched when nothing changed."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sqlalchemy import Engine

from certrecon.audit.claims import check_claims
from certrecon.errors import IntegrityError, RunTakenOverError
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.history import (
    CLAIM,
    OPEN_CLAIM,
    HistoryChange,
    known_certificates,
    read_open_claims,
    write_claims,
)
from tests.integration.warehouse.samples import (
    TARGET,
    answer,
    claims,
    finalise,
    opened_seq,
    query,
    queue,
    write,
)

_ROWS = """
    SELECT certificate_id, certificate_type, tenant_id, first_run_seq, ended_run_seq
      FROM reconciliation.claim ORDER BY claim_id"""
_PHYSICAL = "SELECT ctid::text, xmin::text, xmax::text FROM reconciliation.claim ORDER BY claim_id"


def test_what_is_written_is_what_is_there(warehouse: Engine) -> None:
    odd = {
        "certificate_id": "c\0 2",
        "certificate_type": None,
        "certificate_name": 'a "quoted", \\ name\nof two lines',
        "person_name": "",
        "employee_number": None,
        "issued_on": None,
        "valid_until": dt.date(9999, 12, 31),
        "linked": False,
        "disposition": "blocked",
        "findings": ["TYPE_UNMAPPED", "EXPIRED"],
        "detail": None,
    }
    run_seq = opened_seq(warehouse)
    assert write(warehouse, run_seq, claims({}, odd)) == (2, 0, 0)
    everything = f"SELECT {', '.join(CLAIM.names)} FROM reconciliation.claim ORDER BY claim_id"  # noqa: S608
    first, second = query(warehouse, everything)
    assert dict(zip(CLAIM.names, first, strict=True)) == claims({}).to_pylist()[0] | {
        "detail": {"ditio_employee_number": " 0042"}
    }
    stored = dict(zip(CLAIM.names, second, strict=True))
    assert stored == claims(odd).to_pylist()[0] | {
        "certificate_id": "c\ufffd 2",
        "findings": ["EXPIRED", "TYPE_UNMAPPED"],
    }


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"findings": []}, id="no finding"),
        pytest.param({"findings": [""]}, id="an empty one"),
        pytest.param({"findings": ["", "a", "a"]}, id="repeated ones"),
        pytest.param({"findings": ['"{,}\\', "NULL", "Åse\n"]}, id="signs of array literals"),
        pytest.param({"findings": [f"F{number:03}" for number in range(300)]}, id="many findings"),
        pytest.param({"issued_on": dt.date(1, 1, 1), "valid_until": dt.date(1999, 12, 31)}, id="days before 2000"),
        pytest.param({"issued_on": dt.date(2000, 1, 1), "valid_until": dt.date(9999, 12, 31)}, id="days after"),
        pytest.param({"issued_on": None, "valid_until": None}, id="no days"),
        pytest.param({"detail": None, "linked": False}, id="no detail"),
        pytest.param({"certificate_name": "", "person_name": "Łukasz\t👷"}, id="texts"),
    ],
)
def test_every_kind_of_value_comes_back(warehouse: Engine, values: dict[str, Any]) -> None:
    nobody = dict.fromkeys(("ditio_employee_number", "expiry_received", "issued_received", "expiry_source"))
    row = {"detail": json.dumps(nobody, separators=(",", ":")), **values}
    assert write(warehouse, opened_seq(warehouse), claims(row)) == (1, 0, 0)
    (found,) = query(warehouse, f"SELECT {', '.join(values)} FROM reconciliation.claim")  # noqa: S608
    assert dict(zip(values, found, strict=True)) == values
    assert write(warehouse, opened_seq(warehouse), claims(row)) == (0, 0, 1)
    with transaction(warehouse) as conn:
        assert check_claims(conn) == (1, []), "the digest is of what is stored"


def test_an_unchanged_night_writes_nothing(warehouse: Engine) -> None:
    rows = claims({}, {"certificate_id": "c\0", "findings": ["B", "A"]}, {"certificate_type": None})
    assert write(warehouse, opened_seq(warehouse), rows) == (3, 0, 0)
    before = query(warehouse, _PHYSICAL)
    assert write(warehouse, opened_seq(warehouse), rows) == (0, 0, 3)
    again = rows.take([2, 0, 1])
    assert write(warehouse, opened_seq(warehouse), again) == (0, 0, 3)
    assert query(warehouse, _PHYSICAL) == before


CHANGES: list[dict[str, Any]] = [
    {"tenant_id": "t2"},
    {"certificate_name": None},
    {"certificate_name": ""},
    {"action_type": "CHECK"},
    {"resource_type": None},
    {"resource_id": "p2"},
    {"person_name": "Ase Oy"},
    {"employee_number": "42"},
    {"issued_on": dt.date(2025, 1, 2)},
    {"valid_until": None},
    {"linked": False},
    {"disposition": "rejected"},
    {"findings": ["EXPIRED"]},
    {"findings": [""]},
    {"detail": '{"ditio_employee_number":"0042"}'},
    {"detail": None},
]


@pytest.mark.parametrize("change", CHANGES, ids=repr)
def test_a_change_of_any_column_ends_one_row_and_opens_another(warehouse: Engine, change: dict[str, Any]) -> None:
    first, second = opened_seq(warehouse, "a"), None
    write(warehouse, first, claims({}, {"certificate_id": "c2"}))
    second = opened_seq(warehouse, "b")
    assert write(warehouse, second, claims(change, {"certificate_id": "c2"})) == (1, 1, 1)
    rows = query(warehouse, _ROWS)
    assert [row[3:] for row in rows] == [(first, second), (first, None), (second, None)]


def test_every_compared_column_has_a_case() -> None:
    key = {"certificate_id", "certificate_type"}
    assert {name for change in CHANGES for name in change} | key == set(CLAIM.names)


def test_what_is_gone_ends_and_what_comes_back_opens_anew(warehouse: Engine) -> None:
    runs = [opened_seq(warehouse, name) for name in "abc"]
    # Each opening takes the one before over, so only the last may write.
    runs = []
    for name, rows in (
        ("d", claims({}, {"certificate_id": "c2"})),
        ("e", claims({})),
        ("f", claims({}, {"certificate_id": "c2"})),
    ):
        runs.append(opened_seq(warehouse, name))
        write(warehouse, runs[-1], rows)
    assert query(warehouse, _ROWS) == [
        ("c1", "Byggekort", "t1", runs[0], None),
        ("c2", "Byggekort", "t1", runs[0], runs[1]),
        ("c2", "Byggekort", "t1", runs[2], None),
    ]


def test_a_type_is_part_of_the_key(warehouse: Engine) -> None:
    write(warehouse, opened_seq(warehouse), claims({}, {"certificate_type": "Brannvern"}))
    assert write(warehouse, opened_seq(warehouse), claims({}, {"certificate_type": None})) == (1, 1, 1)


def test_nothing_at_all_ends_everything(warehouse: Engine) -> None:
    write(warehouse, opened_seq(warehouse), claims({}, {"certificate_id": "c2"}))
    assert write(warehouse, opened_seq(warehouse), CLAIM.empty_table()) == (0, 2, 0)
    assert write(warehouse, opened_seq(warehouse), CLAIM.empty_table()) == (0, 0, 0)


def test_another_target_is_another_world(warehouse: Engine) -> None:
    write(warehouse, opened_seq(warehouse), claims({}))
    other = opened_seq(warehouse, target="target-b")
    assert write(warehouse, other, claims({}), target="target-b") == (1, 0, 0)
    assert write(warehouse, other, CLAIM.empty_table(), target="target-b") == (0, 1, 0)
    assert len(query(warehouse, "SELECT FROM reconciliation.claim_current")) == 1


TWO_TENANTS = ({}, {"certificate_id": "c2", "tenant_id": "t2"}, {"certificate_id": "c3", "tenant_id": "t2"})


@pytest.mark.parametrize(
    ("scope", "rows", "expected"),
    [
        pytest.param(["t2"], TWO_TENANTS[1:], (0, 0, 2), id="the same"),
        pytest.param(["t2"], TWO_TENANTS[1:2], (0, 1, 1), id="one of the scope gone, outside untouched"),
        pytest.param(["t2"], (), (0, 2, 0), id="the whole scope gone"),
        pytest.param(["t2"], ({"certificate_id": "c9", "tenant_id": "t2"},), (1, 2, 0), id="all new in scope"),
        pytest.param(["t3"], (), (0, 0, 0), id="a tenant without claims"),
        pytest.param([], (), (0, 0, 0), id="no tenant"),
        pytest.param(["t1", "t2"], TWO_TENANTS[:1], (0, 2, 1), id="both"),
        pytest.param(
            ["t2"],
            ({"certificate_id": "c1", "tenant_id": "t2"}, *TWO_TENANTS[1:]),
            (1, 1, 2),
            id="a certificate that came from outside",
        ),
        pytest.param(["t1"], (), (0, 1, 0), id="a certificate that left to the outside"),
        pytest.param(None, TWO_TENANTS[:1], (0, 2, 1), id="unlimited"),
    ],
)
def test_a_limited_run_speaks_of_its_scope(
    warehouse: Engine,
    scope: list[str] | None,
    rows: tuple[dict[str, Any], ...],
    expected: tuple[int, int, int],
) -> None:
    write(warehouse, opened_seq(warehouse), claims(*TWO_TENANTS))
    assert write(warehouse, opened_seq(warehouse), claims(*rows), scope) == expected


def test_a_moved_certificate_has_one_open_row(warehouse: Engine) -> None:
    write(warehouse, opened_seq(warehouse), claims({}, {"certificate_type": None}))
    write(warehouse, opened_seq(warehouse), claims({"tenant_id": "t2"}), ["t2"])
    assert query(warehouse, "SELECT tenant_id, certificate_type FROM reconciliation.claim_current") == [
        ("t2", "Byggekort")
    ]


def test_the_claims_as_each_run_left_them(warehouse: Engine) -> None:
    runs = []
    nights = [
        claims({}),
        claims({}, {"certificate_id": "c2"}),
        claims({"disposition": "blocked"}),
        CLAIM.empty_table(),
    ]
    for night in nights:
        runs.append(opened_seq(warehouse))
        write(warehouse, runs[-1], night)
    dry = opened_seq(warehouse, "dry", target="target-b")
    statement = "SELECT certificate_id, disposition FROM reconciliation.claim_as_of(:run_seq) ORDER BY 1"
    assert [query(warehouse, statement, run_seq=run) for run in [*runs, dry, 999]] == [
        [("c1", "delivered")],
        [("c1", "delivered"), ("c2", "delivered")],
        [("c1", "blocked")],
        [],
        [],
        [],
    ]


def test_a_run_that_was_taken_over_writes_no_claim(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    opened_seq(warehouse, "second")
    with pytest.raises(RunTakenOverError):
        write(warehouse, first, claims({}))
    assert query(warehouse, _ROWS) == []


def test_reading_the_open_claims_back(warehouse: Engine) -> None:
    odd = {
        "certificate_id": "c2",
        "certificate_type": None,
        "employee_number": None,
        "issued_on": None,
        "findings": ["B", "A"],
        "person_name": 'x,"y"',
        "tenant_id": "t2",
    }
    write(warehouse, opened_seq(warehouse), claims({}, odd, {"certificate_id": "c3"}))
    write(warehouse, opened_seq(warehouse), claims({}, odd))
    with transaction(warehouse) as conn:
        found = read_open_claims(conn, TARGET)
        nothing = read_open_claims(conn, "target-b")
    written = claims({}, odd | {"findings": ["A", "B"]}).append_column("since_run_seq", [[1, 1]])
    expected = written.select(OPEN_CLAIM.names).to_pylist()
    assert sorted(found.to_pylist(), key=lambda row: row["certificate_id"]) == expected
    assert nothing.equals(OPEN_CLAIM.empty_table())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(None, [2, 2], id="not said"),
        pytest.param([None, None], [2, 2], id="null"),
        pytest.param([1, None], [1, 2], id="carried over"),
    ],
)
def test_since_when_a_claim_has_its_disposition(warehouse: Engine, given: Any, expected: list[int]) -> None:
    opened_seq(warehouse)
    second = opened_seq(warehouse)
    rows = claims({}, {"certificate_id": "c2"})
    if given is not None:
        rows = rows.append_column("since_run_seq", pa.chunked_array([given], pa.int64()))
    write(warehouse, second, rows)
    found = query(warehouse, "SELECT since_run_seq FROM reconciliation.claim ORDER BY certificate_id")
    assert [since for (since,) in found] == expected
    # It is no part of what is compared: another one alone changes nothing.
    assert write(warehouse, opened_seq(warehouse), claims({}, {"certificate_id": "c2"})) == (0, 0, 2)


def test_columns_can_be_made_for_the_claims_that_need_them(warehouse: Engine) -> None:
    asked: list[list[str]] = []

    def since(new: pa.Table) -> pa.Array:
        asked.append(new.column("certificate_id").to_pylist())
        return pa.array([1] * new.num_rows, pa.int64())

    def details(some: pa.Table) -> pa.Array:
        return pc.binary_join_element_wise('{"of":"', some.column("certificate_id").combine_chunks(), '"}', "")

    def night(*rows: dict[str, Any]) -> HistoryChange:
        given = claims(*rows).drop_columns(["detail"])
        with transaction(warehouse) as conn:
            return write_claims(conn, opened_seq(warehouse), TARGET, given, None, details=details, since=since)

    assert night({}, {"certificate_id": "c2"}) == HistoryChange(2, 0, 0)
    assert night({}, {"certificate_id": "c2"}) == HistoryChange(0, 0, 2)
    assert night({}, {"certificate_id": "c2", "linked": False}) == HistoryChange(1, 1, 1)
    assert asked == [["c1", "c2"], ["c2"]]
    written = (
        "SELECT certificate_id, detail ->> 'of', first_run_seq, since_run_seq FROM reconciliation.claim ORDER BY 3, 1"
    )
    assert query(warehouse, written) == [("c1", "c1", 1, 1), ("c2", "c2", 1, 1), ("c2", "c2", 3, 1)]


def test_blocks_change_nothing(warehouse: Engine) -> None:
    """More claims than a block has, written at once, changed in part, and written over an empty warehouse's first."""
    many = [{"certificate_id": f"c{number:06}", "person_name": f"P {number % 7}"} for number in range(70_000)]
    assert write(warehouse, opened_seq(warehouse), claims(*many)) == (70_000, 0, 0)
    many[0], many[40_000], many[-1] = ({**many[place], "findings": ["B", "A"]} for place in (0, 40_000, -1))
    assert write(warehouse, opened_seq(warehouse), claims(*many)) == (3, 3, 69_997)
    kept = "SELECT count(*), count(DISTINCT certificate_id) FROM reconciliation.claim_current"
    assert query(warehouse, kept) == [(70_000, 70_000)]
    assert query(warehouse, "SELECT count(*) FROM reconciliation.claim_person") == [(7,)]


def test_every_person_seen_is_kept_once_a_name_and_number(warehouse: Engine) -> None:
    rows = claims(
        {},
        {"certificate_id": "c2"},
        {"certificate_id": "c3", "employee_number": None},
        {"certificate_id": "c4", "person_name": None},
        {"certificate_id": "c5", "person_name": "A Crane", "disposition": "not_applicable"},
        {"certificate_id": "c6", "person_name": "ø" * 9000, "resource_id": "p" * 9000},
    )
    write(warehouse, opened_seq(warehouse), rows)
    write(warehouse, opened_seq(warehouse), claims({"valid_until": None}, {"certificate_id": "c7", "person_name": "B"}))
    persons = "SELECT resource_id, person_name, employee_number FROM reconciliation.claim_person ORDER BY 2, 3"
    assert query(warehouse, persons) == [
        ("p1", "B", "0042"),
        ("p1", "Åse Øy", "0042"),
        ("p1", "Åse Øy", None),
        ("p" * 160, "ø" * 160, "0042"),
    ]


def test_the_certificates_known_of_a_tenant(warehouse: Engine) -> None:
    rows = claims(
        {},
        {"certificate_type": "Brannvern"},
        {"certificate_id": "c2"},
        {"certificate_id": "c3", "tenant_id": "t2"},
    )
    write(warehouse, opened_seq(warehouse), rows)
    write(warehouse, opened_seq(warehouse), rows.slice(0, 2), ["t1"])
    with transaction(warehouse) as conn:
        assert known_certificates(conn, TARGET, "t1").to_pylist() == ["c1"]
        assert known_certificates(conn, TARGET, "t2").to_pylist() == ["c3"]
        assert known_certificates(conn, TARGET, "t3").to_pylist() == []


def test_frames_with_other_types_and_more_columns_do(warehouse: Engine) -> None:
    frame = claims({}, {"certificate_id": "c2"}).to_pandas(types_mapper=None)
    table = pa.Table.from_pandas(frame, preserve_index=False).append_column("more", pa.array([1, 2]))
    table = table.set_column(
        table.column_names.index("findings"),
        "findings",
        pa.array([[], ["A"]], pa.large_list(pa.large_string())),
    )
    assert write(warehouse, opened_seq(warehouse), table) == (2, 0, 0)


def test_no_text_is_too_long(warehouse: Engine) -> None:
    endless = "x" * 10_000_000
    rows = claims(
        {
            "certificate_name": endless,
            "employee_number": endless,
            "certificate_id": endless,
            "person_name": endless,
        }
    )
    assert write(warehouse, opened_seq(warehouse), rows) == (1, 0, 0)
    assert write(warehouse, opened_seq(warehouse), rows) == (0, 0, 1)
    assert query(warehouse, "SELECT length(person_name) FROM reconciliation.claim") == [(10_000_000,)]


def test_what_runs_do_is_nothing_that_triggers_refuse(warehouse: Engine) -> None:
    first, second = opened_seq(warehouse, "first"), 0
    for version, rows in (
        ("A", claims({}, {"certificate_id": "c2"})),
        ("B", claims({"disposition": "blocked"})),
    ):
        second = opened_seq(warehouse, version)
        queue(warehouse, second, {"version": version})
        answer(warehouse, second, {"version": version, "state": None}, {"version": version})
        write(warehouse, second, rows)
        finalise(warehouse, second)
    assert first < second
    assert query(warehouse, "SELECT count(*) FROM reconciliation.claim_current") == [(1,)]
    with pytest.raises(IntegrityError, match="is finalised"):
        query(warehouse, "UPDATE reconciliation.run SET failure = 'x' RETURNING 1")
