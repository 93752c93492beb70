"""A tenant read whole or not at all, and nothing of HEALTH in any file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from aiohttp import web

from certrecon.api.loop import run
from certrecon.errors import IncompleteReadError, ResponseFormatError
from certrecon.extract import taking
from certrecon.extract.tenant import TenantExtract, TenantRead, extract_tenant
from tests.integration.extract.fourhse_server import Asked, FourHse, serving
from tests.integration.extract.parquet import Folder, column, rows_of, table_of


def extract(fourhse: FourHse, path: Path, **options: Any) -> TenantExtract:
    async def main() -> TenantExtract:
        async with serving(fourhse) as client:
            return await extract_tenant(client, TenantRead("t", Folder(path), **options))

    return run(main())


def numbered(count: int, prefix: str = "c") -> list[str]:
    return [f"{prefix}{number:04d}" for number in range(count)]


def filled(certificates: int = 250, links: int = 250, persons: int = 30, **more: Any) -> FourHse:
    fourhse = FourHse(**more)
    fourhse.certificates(*numbered(certificates))
    fourhse.links(*numbered(links))
    fourhse.persons(*numbered(persons, "p"))
    return fourhse


def test_everything_of_a_tenant_and_of_no_other(tmp_path: Path) -> None:
    fourhse = filled()
    fourhse.certificates("x", tenant="other")
    read = extract(fourhse, tmp_path)
    assert [facts.name for facts in read.datasets] == ["certificates", "links", "persons", "lookups"]
    assert [facts.rows for facts in read.datasets] == [250, 250, 30, 0]
    assert [facts.vendor_total for facts in read.datasets] == [250, 250, 30, None]
    assert [facts.pages for facts in read.datasets] == [3, 3, 1, 0]
    assert {facts.reads for facts in read.datasets} == {1}
    assert column(read.certificates, "certificate_id") == numbered(250)
    assert rows_of(read.links)[7] == {
        "certificate_action_id": "lc0007",
        "certificate_id": "c0007",
        "tenant_id": "t",
        "action_name": "action c0007",
        "action_code": "code c0007",
        "action_type": "TRAINING",
    }
    assert rows_of(read.persons)[0] == {"person_id": "p0000", "project_id": "t", "number": "np0000"}
    assert all(facts.read_from <= facts.read_to for facts in read.datasets)
    assert [body.get("history") for body in fourhse.bodies].count(True) == 2
    # Each index: every page, and every page once more.
    assert fourhse.requests == {"certificate": 6, "certificate-action": 6, "person": 2}


def test_nothing_at_all(tmp_path: Path) -> None:
    read = extract(FourHse(), tmp_path)
    assert [facts.rows for facts in read.datasets] == [0, 0, 0, 0]
    assert table_of(read.lookups).column_names == [
        "certificate_id",
        "tenant_id",
        "outcome",
        "found_tenant_id",
        "why",
    ]


def test_the_server_may_clamp_the_page_size(tmp_path: Path) -> None:
    fourhse = filled(max_per_page=7)
    read = extract(fourhse, tmp_path, page_size=500)
    assert [facts.rows for facts in read.datasets] == [250, 250, 30, 0]
    assert read.certificates.pages == 36


@pytest.mark.parametrize("chunk_rows", [1, 100, 150])
def test_chunks_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_rows: int) -> None:
    monkeypatch.setattr(taking, "CHUNK_ROWS", chunk_rows)
    fourhse = filled(certificates=240)
    fourhse.certificates("c0003", tenant="leak")
    fourhse.rows["certificate"][10]["tenant_id"] = "leak"
    fourhse.rows["certificate"][11]["action_type"] = "HEALTH"
    with pytest.raises(IncompleteReadError, match="counts 241 rows, 240 different"):
        extract(fourhse, tmp_path)
    fourhse.rows["certificate"].pop()
    fourhse.hidden = [{"certificate_id": one, "tenant_id": "o"} for one in ["c0010", *numbered(250)[240:]]]
    fourhse.rows["certificate"] = [one for one in fourhse.rows["certificate"] if one["certificate_id"] != "c0010"]
    read = extract(fourhse, tmp_path)
    assert read.certificates.rows == 239
    assert column(read.certificates, "name")[:2] == [None, "name c0000"]
    assert read.links.rows == 250


# --- headers, shifting rows, duplicates -----------------------------------------------------------------

Change = Callable[[FourHse, Asked], None]


def headers(**changed: str | None) -> Change:
    def change(_fourhse: FourHse, asked: Asked) -> None:
        for name, value in changed.items():
            header = "X-Pagination-" + name.replace("_", "-").title()
            asked.headers.pop(header, None)
            if value is not None:
                asked.headers[header] = value

    return change


def on_request(number: int, change: Change) -> Change:
    def only_then(fourhse: FourHse, asked: Asked) -> None:
        if asked.number == number:
            change(fourhse, asked)

    return only_then


def delete(position: int) -> Change:
    return lambda fourhse, _asked: fourhse.rows["certificate"].pop(position) and None


def insert(fourhse: FourHse, _asked: Asked) -> None:
    fourhse.certificates("new")


def both(*changes: Change) -> Change:
    def change(fourhse: FourHse, asked: Asked) -> None:
        for one in changes:
            one(fourhse, asked)

    return change


def repeat_a_row(_fourhse: FourHse, asked: Asked) -> None:
    asked.rows = [*asked.rows, asked.rows[0]]


def lose_a_row(_fourhse: FourHse, asked: Asked) -> None:
    asked.rows = asked.rows[:-1]


def lose_the_id(_fourhse: FourHse, asked: Asked) -> None:
    asked.rows = [asked.rows[0] | {"certificate_id": None}, *asked.rows[1:]]


def repeat_for_ever(_fourhse: FourHse, asked: Asked) -> None:
    asked.headers["X-Pagination-Page-Count"] = "150000"
    asked.headers["X-Pagination-Current-Page"] = str(asked.page)


def raw(body: bytes) -> Change:
    def change(_fourhse: FourHse, asked: Asked) -> None:
        asked.raw = body

    return change


OUTCOMES: list[tuple[str, Change, int | str]] = [
    ("no Per-Page", headers(per_page=None), 1),
    ("no Page-Count", headers(page_count=None), 1),
    ("no Current-Page", headers(current_page=None), 1),
    ("only Total-Count", headers(per_page=None, page_count=None, current_page=None), 1),
    ("Page-Count too small", headers(page_count="1"), 1),
    ("Page-Count too large", headers(page_count="9"), 1),
    ("Page-Count too large, no Current-Page", headers(page_count="9", current_page=None), 1),
    ("Page-Count no number", headers(page_count="many"), 1),
    ("a page that repeats for ever", repeat_for_ever, 1),
    ("no Total-Count", headers(total_count=None), "page 1 came without X-Pagination-Total-Count"),
    ("no Total-Count once", on_request(2, headers(total_count=None)), 2),
    ("Total-Count too large", headers(total_count="251"), "counts 251 rows, 250 different"),
    ("Total-Count too small", headers(total_count="249"), "counts 249 rows, 250 different"),
    ("Total-Count differs once", on_request(2, headers(total_count="251")), 2),
    ("pages without end", headers(page_count="999999999"), "999,999,999 pages"),
    ("a row goes while it is read", on_request(3, delete(5)), 2),
    ("a row comes while it is read", on_request(3, insert), 2),
    ("one goes at the start, one comes", on_request(2, both(delete(5), insert)), 2),
    ("one goes from page 2, one comes", on_request(3, both(delete(150), insert)), 2),
    ("an id is null once", on_request(2, lose_the_id), 2),
    ("a row twice", repeat_a_row, 1),
    ("a row missing", lose_a_row, "counts 250 rows, 247 different"),
    ("a row missing once", on_request(2, lose_a_row), 2),
    ("malformed once", on_request(2, raw(b'[{"certificate_id": }]')), 2),
    ("malformed always", raw(b'[{"certificate_id": }]'), "not well-formed JSON"),
    ("a row that is none", raw(b"[null]"), "no JSON object"),
    ("html once", on_request(1, raw(b"<html>")), 1),
]


@pytest.mark.parametrize(("change", "expected"), [one[1:] for one in OUTCOMES], ids=[one[0] for one in OUTCOMES])
def test_control_totals(tmp_path: Path, change: Change, expected: int | str) -> None:
    fourhse = filled(links=0)

    def before(asked: Asked) -> None:
        if asked.entity == "certificate":
            change(fourhse, asked)

    fourhse.before = before
    if isinstance(expected, str):
        with pytest.raises((IncompleteReadError, ResponseFormatError), match=expected) as raised:
            extract(fourhse, tmp_path)
        assert "4HSE" in str(raised.value)
        assert fourhse.requests["certificate-action"] == 0
        return
    read = extract(fourhse, tmp_path)
    assert read.certificates.reads == expected
    there = sorted(row["certificate_id"] for row in fourhse.rows["certificate"])
    assert column(read.certificates, "certificate_id") == there
    assert read.certificates.vendor_total == len(there)


def test_the_numbers_of_all_three_reads_are_told(tmp_path: Path) -> None:
    fourhse = filled(10, 0, 0)
    fourhse.before = lambda asked: asked.headers.update({"X-Pagination-Total-Count": str(10 + asked.number)})
    with pytest.raises(IncompleteReadError) as raised:
        extract(fourhse, tmp_path)
    for words in ("certificates of tenant t", "3 reads", "read 1: page 1 counted 11", "read 3:"):
        assert words in str(raised.value)


def test_links_and_persons_have_control_totals_too(tmp_path: Path) -> None:
    for entity in ("certificate-action", "person"):
        fourhse = filled()

        def before(asked: Asked, entity: str = entity) -> None:
            if asked.entity == entity and asked.number == 1:
                asked.rows = asked.rows[1:]

        fourhse.before = before
        read = extract(fourhse, tmp_path)
        reads = {facts.name: facts.reads for facts in read.datasets}
        assert reads["certificates"] == 1
        assert sorted(reads.values()) == [1, 1, 1, 2]
        assert [facts.rows for facts in read.datasets] == [250, 250, 30, 0]


# --- rows -----------------------------------------------------------------------------------------------


def test_rows_of_another_tenant_are_counted_and_dropped_after_the_total(tmp_path: Path) -> None:
    fourhse = filled(5, 3, 2)
    fourhse.certificates("leaked", tenant="leak")
    fourhse.links("c0004", tenant="leak", certificate_action_id="leaked")
    fourhse.persons("leaked", tenant="leak")
    read = extract(fourhse, tmp_path)
    assert [(facts.rows, facts.foreign_rows, facts.vendor_total) for facts in read.datasets[:3]] == [
        (5, 1, 6), (3, 1, 4), (2, 1, 3),
    ]  # fmt: skip
    assert "leaked" not in column(read.certificates, "certificate_id")


def test_odd_ids_and_values_are_kept_as_text(tmp_path: Path) -> None:
    fourhse = FourHse()
    fourhse.certificates(1, None, None, "é\x00", "", warning=1, validity=5, resource_id=["a"], data={"x": "MRI"})
    fourhse.certificates("last", tenant=None, permission="read")
    fourhse.links(1, None)
    fourhse.persons(7, owned_active=True, parent_active=False, code=None, birth_date="31/12/1980", sex="m")
    read = extract(fourhse, tmp_path)
    assert column(read.certificates, "certificate_id") == ["", "1", "last", "é\x00"]
    assert (read.certificates.without_id, read.certificates.rows, read.certificates.vendor_total) == (2, 4, 6)
    assert read.certificates.reads == 2, "rows without an id are believed when they come again"
    assert set(column(read.certificates, "tenant_id")) == {"t"}
    assert rows_of(read.certificates)[0] == {
        "certificate_id": "1", "tenant_id": "t", "name": "name 1", "action_type": "TRAINING", "warning": "1",
        "validity": "5", "resource_id": '["a"]',
    }  # fmt: skip
    assert read.certificates.undocumented_fields == ("permission",)
    assert column(read.links, "certificate_id") == [None, "1"]
    assert read.links.without_id == 0
    assert rows_of(read.persons) == [
        {
            "person_id": "7",
            "project_id": "t",
            "owned_active": "true",
            "parent_active": "false",
            "birth_date": "31/12/1980",
        }
    ]
    assert read.lookups.rows == 0


@pytest.mark.parametrize("field", ["code", "tax_code", "entity_id"])
def test_the_number_comes_from_the_field_of_the_settings(tmp_path: Path, field: str) -> None:
    fourhse = FourHse()
    fourhse.persons("p", code="1", tax_code="2", entity_id="3")
    read = extract(fourhse, tmp_path, person_field=field)
    assert column(read.persons, "number") == [{"code": "1", "tax_code": "2", "entity_id": "3"}[field]]


# --- HEALTH ---------------------------------------------------------------------------------------------


def unhealthy() -> FourHse:
    fourhse = FourHse()
    fourhse.certificates("fine", "linked", "private", "spelled", "hidden")
    for row in fourhse.rows["certificate"]:
        row["name"] = f"NAME-{row['certificate_id']}"
    fourhse.rows["certificate"][2]["action_type"] = "HEALTH"
    fourhse.rows["certificate"][3]["action_type"] = " health\t"
    fourhse.rows["certificate"][2]["data"] = {"result": "CANARY"}
    fourhse.rows["certificate"][0]["note"] = "CANARY"
    fourhse.links("fine", "private", "gone", "moved")
    fourhse.links("linked", "lost", action_type="Health ", certificate_name="CANARY")
    fourhse.links("hidden", action_type=None)
    fourhse.hidden = [{"certificate_id": "moved", "tenant_id": "o", "action_type": "HEALTH", "name": "CANARY"}]
    return fourhse


def test_no_name_of_anything_health_reaches_a_file(tmp_path: Path) -> None:
    read = extract(unhealthy(), tmp_path)
    names = {row["certificate_id"]: row.get("name") for row in rows_of(read.certificates)}
    assert names == {
        "fine": "NAME-fine", "linked": None, "private": None, "spelled": None, "hidden": "NAME-hidden",
    }  # fmt: skip
    told = {row["certificate_id"]: (row.get("action_name"), row.get("action_code")) for row in rows_of(read.links)}
    kept = {one: (f"action {one}", f"code {one}") for one in ("fine", "gone", "hidden")}
    nothing = (None, None)
    assert told == {**kept, "private": nothing, "moved": nothing, "linked": nothing, "lost": nothing}
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    shown = json.dumps([table_of(facts).to_pylist() for facts in read.datasets])
    for secret in ("CANARY", "NAME-private", "NAME-linked", "NAME-spelled", "action private", "code lost"):
        assert secret not in shown
        assert secret.encode() not in written


def test_health_names_are_kept_where_health_is_published_on_purpose(tmp_path: Path) -> None:
    read = extract(unhealthy(), tmp_path, publish_health=True)
    assert None not in column(read.certificates, "name")
    assert None not in column(read.links, "action_name")
    assert "CANARY" not in json.dumps([table_of(facts).to_pylist() for facts in read.datasets])


# --- lookups --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [list, pa.array, lambda ids: pa.chunked_array([ids])], ids=["list", "array", "chunked"]
)
def test_certificates_that_are_gone_are_looked_up(tmp_path: Path, kind: Callable[[list[str]], Any]) -> None:
    fourhse = filled(3, 0, 0)
    fourhse.links("c0000", "dangling", "away")
    fourhse.hidden = [{"certificate_id": one, "tenant_id": "other"} for one in ("away", "moved")]
    read = extract(fourhse, tmp_path, known_ids=kind(["c0000", "c0001", "deleted", "moved", "away"]))
    found = {row.pop("certificate_id"): row for row in rows_of(read.lookups)}
    assert found == {
        "deleted": {"tenant_id": "t", "outcome": "deleted", "why": "absent"},
        "moved": {"tenant_id": "t", "outcome": "moved", "found_tenant_id": "other", "why": "absent"},
        "away": {"tenant_id": "t", "outcome": "moved", "found_tenant_id": "other", "why": "absent"},
        "dangling": {"tenant_id": "t", "outcome": "deleted", "why": "dangling"},
    }
    assert sorted(fourhse.viewed) == ["away", "dangling", "deleted", "moved"]
    assert column(read.links, "certificate_id") == ["away", "c0000", "dangling"]


def test_a_certificate_that_is_still_there_means_that_the_read_was_not_whole(tmp_path: Path) -> None:
    fourhse = filled(3, 0, 0)
    fourhse.hidden = [{"certificate_id": "late", "tenant_id": "t"}]
    fourhse.links("late", "gone")

    def before(asked: Asked) -> None:
        if asked.entity == "certificate" and asked.number == 2:
            fourhse.certificates("late")

    fourhse.before = before
    read = extract(fourhse, tmp_path)
    assert (read.certificates.reads, read.links.reads, read.lookups.rows) == (2, 2, 1)
    assert column(read.certificates, "certificate_id") == ["c0000", "c0001", "c0002", "late"]
    assert read.links.rows == 2
    assert fourhse.viewed.count("gone") == 1


@pytest.mark.parametrize("known", [True, False], ids=["known", "dangling"])
def test_one_that_stays_away_from_the_index_fails_the_read(tmp_path: Path, known: bool) -> None:
    fourhse = filled(3, 0, 0)
    fourhse.hidden = [{"certificate_id": "shy", "tenant_id": "t"}]
    if not known:
        fourhse.links("shy")
    with pytest.raises(IncompleteReadError, match=r"3 reads.*1 certificates were not in the index.*shy"):
        extract(fourhse, tmp_path, known_ids=["shy"] if known else [])


def test_a_view_that_answers_with_another_certificate_is_refused(tmp_path: Path) -> None:
    fourhse = filled(1, 0, 0)
    fourhse.hidden = [{"certificate_id": 5, "tenant_id": "t"}]
    fourhse.links("5")

    async def wrong(_request: web.Request) -> web.Response:
        return web.json_response({"certificate_id": "6", "tenant_id": "t"})

    fourhse.view = wrong  # type: ignore[method-assign]
    with pytest.raises(ResponseFormatError, match="view of certificate 5 with another one"):
        extract(fourhse, tmp_path)


def test_many_lookups(tmp_path: Path) -> None:
    known = [f"gone {number}/?#" for number in range(300)]
    fourhse = filled(1, 0, 0)
    read = extract(fourhse, tmp_path, known_ids=known)
    assert read.lookups.rows == 300
    assert sorted(fourhse.viewed) == sorted(known)
