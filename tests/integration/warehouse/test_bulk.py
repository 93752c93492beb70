"""What goes in by COPY comes out by COPY."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text

from certrecon.warehouse.bulk import copy_in, copy_out, stage
from certrecon.warehouse.engine import transaction

KINDS = pa.schema(
    [
        ("place", pa.int64()),
        ("words", pa.string()),
        ("many", pa.list_(pa.string())),
        ("day", pa.date32()),
        ("moment", pa.timestamp("us", "UTC")),
        ("yes", pa.bool_()),
        ("small", pa.int32()),
    ]
)
_TABLE = """
    CREATE TEMP TABLE kinds (place bigint, words text, many text[], day date, moment timestamptz, yes boolean,
                             small integer, detail jsonb, digest bytea) ON COMMIT DROP"""
_NAMES = ", ".join(KINDS.names)
NOTHING = dict.fromkeys(KINDS.names)


def _there_and_back(engine: Engine, rows: pa.Table) -> pa.Table:
    with transaction(engine) as conn:
        conn.execute(text(_TABLE))
        copy_in(conn, "kinds", rows)
        return copy_out(conn, f"SELECT {_NAMES} FROM kinds ORDER BY place", None, KINDS)  # noqa: S608


@pytest.mark.parametrize(
    "words",
    [
        "",
        None,
        " ",
        "\\N",
        "\\.",
        "NULL",
        '"',
        '""',
        ",",
        "\x1e",
        "\x1f",
        "a\x1e\x1fb\x1e",
        "\x1e\x1e",
        "a\nb",
        "a\r\nb",
        "\n",
        "\r",
        "x\n\\.\ny",
        "\t",
        "{}",
        "Łukasz Żółć",
        "\U0001f600",
        "'; DROP TABLE reconciliation.run; --",
        "\u202eltr",
        "=1+1",
        "\x1b[31m",
        "\ufeff",
        "%s %(x)s :x",
        "e\u0301",
        "t",
        "f",
        "x" * 100_000,
    ],
    ids=repr,
)
def test_text(warehouse: Engine, words: str | None) -> None:
    rows = pa.Table.from_pylist(
        [NOTHING | {"place": 1, "words": words, "many": [words]}, NOTHING | {"place": 2}], KINDS
    )
    assert _there_and_back(warehouse, rows).equals(rows)


@pytest.mark.parametrize(
    "many",
    [
        [],
        None,
        [""],
        [None],
        ["NULL"],
        ["a", "b"],
        ["a,b", 'c"d', "e\\f", "{g}", "h\ni", " ", "\\"],
        ["ø", None, ""],
    ],
    ids=repr,
)
def test_arrays(warehouse: Engine, many: list[str | None] | None) -> None:
    rows = pa.Table.from_pylist([NOTHING | {"place": 1, "many": many}, NOTHING | {"place": 2, "many": ["z"]}], KINDS)
    assert _there_and_back(warehouse, rows).equals(rows)


def test_dates_instants_numbers_and_booleans(warehouse: Engine) -> None:
    moment = dt.datetime(2026, 3, 1, 23, 59, 59, 120_000, dt.UTC)
    rows = pa.Table.from_pylist(
        [
            NOTHING | {"place": -(2**63), "day": dt.date(1, 1, 1), "moment": moment, "yes": True, "small": -1},
            NOTHING | {"place": 2**63 - 1, "day": dt.date(9999, 12, 31), "yes": False, "small": 0},
            NOTHING | {"moment": moment.replace(microsecond=0)},
        ],
        KINDS,
    )
    assert _there_and_back(warehouse, rows).equals(rows)


def test_nul_becomes_the_replacement_character(warehouse: Engine) -> None:
    rows = pa.Table.from_pylist([NOTHING | {"words": "a\0b", "many": ["\0", "c"]}], KINDS)
    back = _there_and_back(warehouse, rows).to_pylist()[0]
    assert (back["words"], back["many"]) == ("a\ufffdb", ["\ufffd", "c"])


def test_json_and_digests(warehouse: Engine) -> None:
    rows = pa.table(
        {
            "detail": pa.array(['{"a": "\\u0000 \\"ø\\" \\\\"}', None]),
            "digest": pa.array([b"\x00\xff", b"\\x"], pa.binary(2)),
        }
    )
    with transaction(warehouse) as conn:
        conn.execute(text(_TABLE))
        copy_in(conn, "kinds", rows)
        found = conn.execute(text("SELECT detail, digest FROM kinds ORDER BY digest")).all()
    assert [tuple(row) for row in found] == [({"a": '\ufffd "ø" \\'}, b"\x00\xff"), (None, b"\\x")]


def test_encoded_and_large_types_go_in_as_what_they_mean(warehouse: Engine) -> None:
    rows = pa.table(
        {
            "words": pa.array(["a", None, "a"]).dictionary_encode(),
            "many": pa.array([["b"], [], None], pa.large_list(pa.large_string())),
            "day": pa.nulls(3),
            "place": pa.chunked_array([[1], [2, 3]], pa.int64()),
        }
    )
    back = _there_and_back(
        warehouse, pa.table({**NOTHING_COLUMNS(3), **{n: rows.column(n) for n in rows.column_names}})
    )
    assert back.column("words").to_pylist() == ["a", None, "a"]
    assert back.column("many").to_pylist() == [["b"], [], None]


def NOTHING_COLUMNS(size: int) -> dict[str, pa.Array]:  # noqa: N802 - a constant but for its length
    """Columns of nulls."""
    return {field.name: pa.nulls(size, field.type) for field in KINDS}


def test_many_rows_in_many_blocks(warehouse: Engine) -> None:
    size = 100_000
    rows = pa.table(
        {
            **NOTHING_COLUMNS(size),
            "place": pa.array(range(size), pa.int64()),
            "words": pa.array([f"row\n{number}" * 10 for number in range(size)]),
            "many": pa.array([[str(number % 7)] for number in range(size)], pa.list_(pa.string())),
        },
        KINDS,
    )
    assert _there_and_back(warehouse, rows).equals(rows)


def test_nothing_in_and_nothing_out(warehouse: Engine) -> None:
    assert _there_and_back(warehouse, KINDS.empty_table()).equals(KINDS.empty_table())


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({"x": ["a'b", "%"]}, ["a'b", "%"], id="by name"),
        pytest.param({"x": []}, [], id="empty list"),
    ],
)
def test_parameters(warehouse: Engine, params: dict[str, list[str]], expected: list[str]) -> None:
    with transaction(warehouse) as conn:
        found = copy_out(conn, "SELECT unnest(%(x)s::text[])", params, pa.schema([("v", pa.string())]))
    assert found.column("v").to_pylist() == expected


def test_one_column_of_nulls_keeps_its_rows(warehouse: Engine) -> None:
    with transaction(warehouse) as conn:
        found = copy_out(
            conn,
            "SELECT NULLIF(n, 2)::text FROM generate_series(1, 3) n",
            None,
            pa.schema([("v", pa.string())]),
        )
    assert found.column("v").to_pylist() == ["1", None, "3"]


def test_a_staged_table_is_replaced_and_gone_at_the_end(warehouse: Engine) -> None:
    with transaction(warehouse) as conn:
        for number in ("1", "2"):
            stage(conn, "staged", "claim", pa.table({"certificate_id": [number]}))
        assert conn.execute(text("SELECT certificate_id FROM staged")).scalars().all() == ["2"]
    with transaction(warehouse) as conn:
        assert conn.execute(text("SELECT to_regclass('pg_temp.staged')")).scalar_one() is None
