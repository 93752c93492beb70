"""What a webhook's body tells: the ids of what changed, and nothing else of it, whatever came."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from certrecon.api.notices import MAX_ID, Notice, read_notice
from certrecon.errors import NoticeError
from certrecon.words import ChangeEvent
from tests.data.vendor_documents import example
from tests.hostile.json_texts import bodies, objects

CERTIFICATE = "f6a7b8c9-d0e1-2f3a-4b5c-6d7e8f9a0b1c"
E = ChangeEvent
LINK = {"certificate_action_id": "l1", "certificate_id": "c1", "action_id": "a1", "date_expire": "2030-01-15"}


def changed(**fields: Any) -> dict[str, Any]:
    """An update of `l1` that changed these fields."""
    return {"entity_id": "l1", "updated_fields": fields}


def moved(old: Any, new: Any) -> dict[str, Any]:
    return changed(certificate_id={"old": old, "new": new})


TOLD = [
    ("the document's creation", E.CERTIFICATE_CREATE, example("4hse_certificate", "webhook created"), CERTIFICATE, ()),
    ("the document's update", E.CERTIFICATE_UPDATE, example("4hse_certificate", "webhook updated"), CERTIFICATE, ()),
    ("the document's deletion", E.CERTIFICATE_DELETE, example("4hse_certificate", "webhook deleted"), CERTIFICATE, ()),
    ("a link made", E.LINK_CREATE, LINK, "l1", ("c1",)),
    ("a link deleted", E.LINK_DELETE, LINK, "l1", ("c1",)),
    ("a link deleted, its certificate not said", E.LINK_DELETE, {"certificate_action_id": "l1"}, "l1", ()),
    ("a link's date changed", E.LINK_UPDATE, changed(date_expire={"old": None, "new": "2030-01-15"}), "l1", ()),
    ("a link moved: both certificates count", E.LINK_UPDATE, moved("c1", "c2"), "l1", ("c1", "c2")),
    ("a link moved from nowhere", E.LINK_UPDATE, moved(None, "c2"), "l1", ("c2",)),
    ("a link not moved", E.LINK_UPDATE, moved("c1", "c1"), "l1", ("c1",)),
    ("an update without a change, as PHP writes it", E.LINK_UPDATE, {"entity_id": "l1", "updated_fields": []}, "l1", ()),
    ("a change that is none", E.LINK_UPDATE, changed(certificate_id="c1"), "l1", ()),
    ("a person made", E.PERSON_CREATE, {"person_id": "p1", "tax_code": "secret"}, "p1", ()),
    ("a person changed", E.PERSON_UPDATE, {"entity_id": "p1", "updated_fields": {"note": {"old": "a", "new": "b"}}}, "p1", ()),
    ("a person deleted", E.PERSON_DELETE, {"person_id": "p1"}, "p1", ()),
    ("the other form's id", E.CERTIFICATE_CREATE, {"entity_id": "c1"}, "c1", ()),
    ("the other form's id, updated", E.CERTIFICATE_UPDATE, {"certificate_id": "c1"}, "c1", ()),
    ("an empty id gives way", E.CERTIFICATE_UPDATE, {"entity_id": " ", "certificate_id": "c1"}, "c1", ()),
    ("white space around it", E.PERSON_DELETE, {"person_id": " p1\n"}, "p1", ()),
    ("the longest id", E.PERSON_DELETE, {"person_id": "x" * MAX_ID}, "x" * MAX_ID, ()),
    ("an id of a certificate is none of a person's business", E.PERSON_DELETE, {"person_id": "p1", "certificate_id": "c1"}, "p1", ()),
]  # fmt: skip


@pytest.mark.parametrize(("event", "body", "entity", "certificates"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])  # fmt: skip
def test_the_ids_of_what_changed_are_told(
    event: ChangeEvent, body: dict[str, Any], entity: str, certificates: tuple[str, ...]
) -> None:
    assert read_notice(event, json.dumps(body).encode()) == Notice(entity, certificates)


STILL_TOLD = [
    ("a name twice: the last counts", b'{"certificate_id":"a","certificate_id":"c1"}'),
    ("a huge number beside it", b'{"certificate_id":"c1","n":1e999999,"m":' + b"9" * 300_000 + b"}"),
    ("half a character beside it", b'{"note":"\\ud800","certificate_id":"c1"}'),
    ("bytes that are no text beside it", b'{"note":"\xff\xfe","certificate_id":"c1"}'),
    ("a mark before it", b'\xef\xbb\xbf{"certificate_id":"c1"}'),
    ("a form of another event", b'{"certificate_id":"c1","updated_fields":7}'),
]


@pytest.mark.parametrize("body", [row[1] for row in STILL_TOLD], ids=[row[0] for row in STILL_TOLD])
def test_what_stands_beside_an_id_does_no_harm(body: bytes) -> None:
    assert read_notice(E.CERTIFICATE_CREATE, body) == Notice("c1")


REFUSED = [
    ("nothing", b""),
    ("no JSON", b"certificate_id=c1"),
    ("cut off", b'{"certificate_id":"c1"'),
    ("two bodies", b'{"certificate_id":"c1"}{"certificate_id":"c2"}'),
    ("a list", b'[{"certificate_id":"c1"}]'),
    ("a text", b'"c1"'),
    ("null", b"null"),
    ("an empty object", b"{}"),
    ("another entity's id", b'{"person_id":"p1"}'),
    ("the id null", b'{"certificate_id":null}'),
    ("the id empty", b'{"certificate_id":" \\t"}'),
    ("the id a number", b'{"certificate_id":1}'),
    ("the id a huge number", b'{"certificate_id":' + b"9" * 5_000 + b"}"),
    ("the id not a number", b'{"certificate_id":NaN}'),
    ("the id a list", b'{"certificate_id":["c1"]}'),
    ("the id too long", b'{"certificate_id":"' + b"x" * (MAX_ID + 1) + b'"}'),
    ("the id with a line break in it", b'{"certificate_id":"c1\\n2"}'),
    ("the id with a null character", b'{"certificate_id":"c\\u00001"}'),
    ("the id with a mark that turns text around", b'{"certificate_id":"c\\u202e1"}'),
    ("the id half a character", b'{"certificate_id":"\\ud800"}'),
    ("the id no text", b'{"certificate_id":"\xff"}'),
    ("nested too deep beside the id", b'{"certificate_id":"c1","n":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ("nested too deep in the id", b'{"certificate_id":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}"),
    ("NaN", b'{"certificate_id":"c1","n":NaN}'),
    ("in two bytes a character", '{"certificate_id":"c1"}'.encode("utf-16")),
]  # fmt: skip


@pytest.mark.parametrize("body", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_body_without_such_an_id_is_refused(body: bytes) -> None:
    with pytest.raises(NoticeError):
        read_notice(E.CERTIFICATE_CREATE, body)


@pytest.mark.parametrize("body", [moved(7, "c2"), moved("c1", "c\x00"), {**LINK, "certificate_id": {"id": "c1"}}], ids=str)  # fmt: skip
def test_a_links_certificate_that_is_no_id_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(NoticeError):
        read_notice(E.LINK_UPDATE, json.dumps(body).encode())


def test_a_refusal_quotes_nothing_of_the_body() -> None:
    with pytest.raises(NoticeError) as refused:
        read_notice(E.PERSON_UPDATE, b'{"entity_id": "preg\\nnant", "person_id": "c1"}')
    assert str(refused.value) == "The body's entity_id is no id: too long, or with characters that no id has."


NAMES = ["certificate_id", "certificate_action_id", "person_id", "entity_id", "updated_fields", "old", "new"]


@given(body=bodies(objects(NAMES)))
def test_no_body_breaks_it_and_what_it_tells_can_be_stored(body: bytes) -> None:
    for event in ChangeEvent:
        try:
            notice = read_notice(event, body)
        except NoticeError:
            continue
        for one in (notice.entity_id, *notice.certificate_ids):
            assert 0 < len(one) <= MAX_ID
            assert one == one.strip()
            assert one.isprintable()
