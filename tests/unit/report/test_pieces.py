"""Looking at columns of large tables: what is found does not depend on whether texts are coded."""

from __future__ import annotations

from dataclasses import fields, replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from certrecon.claims.coded import NONE, coded_schema
from certrecon.report import ReportInputs, build_report, render_csvs, render_html, render_summary, render_workbook
from certrecon.report.ages import places_before
from certrecon.report.pieces import as_numbers, piece, places_by_key, plain
from tests.unit.report.crowd import crowd
from tests.unit.report.golden import DRY, PUBLISHED

IDS = ("certificate_id", "payload_sha256", "acknowledged_payload_sha256", "payload", "certificate_action_id")
LARGE = ("claims", "previous_claims", "links", "ledger", "answers", "plan")


def coded(table: pa.Table) -> pa.Table:
    """Return a table with its texts as codes, those excepted that hardly repeat themselves."""
    return table.cast(coded_schema(table.schema, *IDS))


def texts(**columns: list[str | None]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


REPORTS = {"published": PUBLISHED, "dry run": DRY, "crowd": crowd(500)}


def _rendered(inputs: ReportInputs) -> list[object]:
    report = build_report(inputs)
    return [render_summary(report), render_html(report), render_workbook(report), render_csvs(report)]


@pytest.mark.parametrize("inputs", REPORTS.values(), ids=REPORTS)
def test_a_report_of_coded_texts_is_the_same_report(inputs: ReportInputs) -> None:
    tables = {name: getattr(inputs, name) for name in LARGE}
    assert {field.name for field in fields(inputs)} >= set(LARGE)
    changed = replace(inputs, **{name: coded(table) for name, table in tables.items() if table is not None})
    assert _rendered(changed) == _rendered(inputs)


def test_a_column_in_one_piece_is_not_copied() -> None:
    column = pa.array(["a" * 1000] * 1000)
    before = pa.total_allocated_bytes()
    assert piece(pa.table({"name": column}), "name").equals(column)
    assert pa.total_allocated_bytes() == before


def test_plain_texts_of_coded_ones() -> None:
    table = texts(name=["a", None, "a"]).append_column("count", pa.array([1, 2, 3]))
    pieces = pa.concat_tables([coded(table), coded(table.slice(1))])
    assert plain(pieces).equals(pa.concat_tables([table, table.slice(1)]).combine_chunks())


NUMBERS, TYPES = ["1", "2", "2", None, "3"], ["A", "A", "B", "A", None]
OTHERS = texts(employee_number=["2", "1", "2", None, "3"], certificate_type=["B", "B", "A", "A", None])


@pytest.mark.parametrize("change", [plain, coded])
def test_places_by_key(change: object) -> None:
    """Both texts of a key have to be the same, and a key with a text missing is nobody's."""
    table = texts(employee_number=NUMBERS, certificate_type=TYPES)
    assert callable(change)
    assert places_by_key(change(table), OTHERS).tolist() == [-1, 2, 0, -1, -1]
    assert places_by_key(table, change(OTHERS)).tolist() == [-1, 2, 0, -1, -1]
    assert places_by_key(table, OTHERS.slice(0, 0)).tolist() == [-1] * 5


DAYS = pa.array([0, None, 1], pa.date32())
COLUMNS = {
    "texts": (pa.array(["a", "b", None]), pa.array(["b", "b", ""]), [False, True, False], [False, True, True]),
    "days": (DAYS, DAYS.take(pa.array([2, 1, 2])), [False, True, True], [False, True, True]),
    "truths": (pa.array([True, False, None]), pa.array([True, True, None]), [True, False, True], [True, False, True]),
    "lists": (
        pa.array([["A", "B"], [], None], pa.list_(pa.string())),
        pa.array([["A", "B"], None, []], pa.list_(pa.string())),
        [True, False, False],
        [True, True, True],
    ),
}


@pytest.mark.parametrize(("left", "right", "same", "same_if_empty_is_none"), COLUMNS.values(), ids=COLUMNS)
def test_columns_as_numbers(
    left: pa.Array, right: pa.Array, same: list[bool], same_if_empty_is_none: list[bool]
) -> None:
    tables = pa.table({"own": left}), pa.table({"own": right})
    then, now = as_numbers(*tables, "own")
    assert (then == now).tolist() == same
    then, now = as_numbers(*tables, "own", empty_is_none=True)
    assert (then == now).tolist() == same_if_empty_is_none
    if pa.types.is_string(left.type):
        assert (now == NONE).tolist() == pc.equal(pc.fill_null(right, ""), "").to_pylist()


PREVIOUS = texts(
    certificate_id=["one", "two", "two", "none", "empty", "gone"],
    certificate_type=["A", "A", "B", None, "", "A"],
)
PLACES = {
    "the only type": ("one", "A", 0),
    "the first of two types": ("two", "A", 1),
    "the second of two types": ("two", "B", 2),
    "another type than before": ("one", "B", -1),
    "a third type": ("two", "C", -1),
    "no type, as before": ("none", None, 3),
    "a type where there was none": ("none", "A", -1),
    "an empty type is as none": ("empty", None, 4),
    "a new certificate": ("new", "A", -1),
}


@pytest.mark.parametrize(("certificate", "kind", "place"), PLACES.values(), ids=PLACES)
def test_a_claim_is_where_its_certificate_and_type_were(certificate: str, kind: str | None, place: int) -> None:
    claims = texts(certificate_id=["one", certificate], certificate_type=["A", kind])
    assert places_before(claims, PREVIOUS).tolist() == [0, place]
    assert places_before(coded(claims), coded(PREVIOUS)).tolist() == [0, place]


def test_nothing_was_before_the_first_run() -> None:
    assert places_before(PREVIOUS, PREVIOUS.slice(0, 0)).tolist() == [-1] * PREVIOUS.num_rows
    assert places_before(PREVIOUS.slice(0, 0), PREVIOUS).tolist() == []
