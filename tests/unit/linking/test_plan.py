"""What is asked about, its digest, and what makes a certificate be left out."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from certrecon.api.fourhse_api.links import CertificateActionRow
from certrecon.linking.looking import Looked, objection, resulting_types
from certrecon.linking.plan import IN_WORDS, Candidate, LeftOut, LinkPlan, Why, plan_sha256
from certrecon.linking.question import make_question
from certrecon.linking.reading_back import difference
from certrecon.linking.seeing import SeenAction, SeenCertificate
from certrecon.settings import Settings, parse_settings
from certrecon.warehouse.linkings import CreatedLink
from certrecon.words import Confirmed

ACTION = SeenAction("a1", "t1", "TRAINING", "BYGG", "Byggekort")
CERTIFICATE = SeenCertificate("c1", "t1", "TRAINING", "p1", "2026-01-01", "2028-01-01", "HMS-kort", "Nordmann Kari")
PLAN = LinkPlan("a1", "t1", ACTION.sha256, None, (Candidate("c1", "Byggekort", CERTIFICATE.sha256),))
LATER = dt.date(2028, 1, 2)


def link(**values: Any) -> CertificateActionRow:
    given = {"certificate_action_id": "l1", "certificate_id": "c1", "action_id": "a1", "tenant_id": "t1"}
    return CertificateActionRow(**given | values)


@pytest.mark.parametrize(
    ("changes", "links", "expires", "why"),
    [
        ({}, [], None, None),
        ({}, [], dt.date(2028, 1, 1), None),
        ({"tenant_id": "t2"}, [], None, Why.OTHER_PROJECT),
        ({"tenant_id": None}, [], None, Why.OTHER_PROJECT),
        ({}, ["a1"], None, Why.LINKED_ALREADY),
        ({}, ["a2", "a1"], None, Why.LINKED_ALREADY),
        ({}, ["a2"], None, Why.LINKED_OTHERWISE),
        ({}, [None], None, Why.LINKED_OTHERWISE),
        ({"action_type": "CHECK"}, [], None, Why.ACTION_TYPE_DISAGREES),
        ({"action_type": "training"}, [], None, Why.ACTION_TYPE_DISAGREES),
        ({"action_type": None}, [], None, Why.ACTION_TYPE_DISAGREES),
        ({}, [], LATER, Why.EXPIRES_EARLIER),
        ({"date_expire": None}, [], LATER, None),
        ({"date_expire": " "}, [], LATER, None),
        ({"date_expire": "1.1.2030"}, [], LATER, Why.EXPIRY_UNREADABLE),
        ({"date_expire": "1.1.2030"}, [], None, None),
    ],
    ids=str,
)
def test_why_a_certificate_is_left_out(
    changes: dict[str, Any], links: list[str | None], expires: dt.date | None, why: Why | None
) -> None:
    there = [link(action_id=one) for one in links]
    assert objection(replace(CERTIFICATE, **changes), there, ACTION, expires) is why


def test_a_certificate_that_is_not_there_is_left_out() -> None:
    assert objection(None, [], ACTION, None) is Why.NOT_FOUND
    assert set(IN_WORDS) == set(Why)


CHANGED = [
    replace(PLAN, action_id="a2"),
    replace(PLAN, tenant_id="t2"),
    replace(PLAN, action_sha256="0" * 64),
    replace(PLAN, date_expire=LATER),
    replace(PLAN, candidates=()),
    replace(PLAN, candidates=(*PLAN.candidates, Candidate("c2", None, "0" * 64))),
    replace(PLAN, candidates=(replace(PLAN.candidates[0], certificate_type=None),)),
    replace(PLAN, candidates=(replace(PLAN.candidates[0], seen_sha256="0" * 64),)),
]


def test_the_digest_is_over_everything_that_is_asked_about() -> None:
    digests = {one.sha256 for one in CHANGED}
    assert len(digests | {PLAN.sha256}) == len(CHANGED) + 1
    left = replace(PLAN, left_out=(LeftOut("c9", Why.NOT_FOUND),))
    assert left.sha256 == PLAN.sha256 == plan_sha256(json.loads(json.dumps(PLAN.asked)))
    assert LinkPlan.from_json(json.loads(json.dumps(replace(left, date_expire=LATER).to_json()))) == replace(
        left, date_expire=LATER
    )


@pytest.mark.parametrize(
    "field", ["tenant_id", "action_type", "resource_id", "date_release", "date_expire", "name", "resource_name"]
)
def test_a_certificate_that_changes_is_not_the_one_that_was_seen(field: str) -> None:
    assert replace(CERTIFICATE, **{field: "other"}).sha256 != CERTIFICATE.sha256
    assert replace(CERTIFICATE, **{field: None}).sha256 != CERTIFICATE.sha256


def test_the_id_of_a_link_is_the_same_in_every_try_and_of_no_other_link() -> None:
    ids = {PLAN.link_id("r1", "c1"), PLAN.link_id("r1", "c2"), PLAN.link_id("r2", "c1"), CHANGED[0].link_id("r1", "c1")}
    assert len(ids) == 4
    assert PLAN.link_id("r1", "c1") == PLAN.link_id("r1", "c1")
    assert all(str(uuid.UUID(one)) == one for one in ids)


RULES = """
certificate_types:
  - {certificate_type: Byggekort, action_code: [BYGG]}
  - {certificate_type: Kran, action_name: "(?i)crane", certificate_name: "(?i)tower"}
  - {certificate_type: Brannvern, certificate_name: "(?i)fire", action_type: TRAINING}
"""


@pytest.mark.parametrize(
    ("action", "names", "types"),
    [
        (ACTION, ["anything", None], ["Byggekort", "Byggekort"]),
        (replace(ACTION, code=" BYGG "), ["anything"], ["Byggekort"]),
        (
            replace(ACTION, code=None, name="Crane operator"),
            ["Tower crane", "Mobile crane", None],
            ["Kran", None, None],
        ),
        (replace(ACTION, code="X", name=None), ["Fire safety"], ["Brannvern"]),
        (replace(ACTION, code="X", name=None, action_type="CHECK"), ["Fire safety"], [None]),
        (ACTION, [], []),
    ],
    ids=["by code", "trimmed code", "by both names", "by the certificate's name", "another action type", "none"],
)
def test_the_type_that_a_link_gives(action: SeenAction, names: list[str | None], types: list[str | None]) -> None:
    assert resulting_types(names, action, parse_settings(RULES).settings) == types


@pytest.mark.parametrize(
    ("row", "wanted", "said"),
    [
        (link(is_date_inherited=1, date_expire="2028-01-01"), None, None),
        (link(), None, None),
        (link(is_date_inherited=0, date_expire="2027-01-01"), None, "has another date_expire"),
        (link(is_date_inherited=0, date_expire="2028-01-02"), LATER, None),
        (link(is_date_inherited=0, date_expire="2028-01-03"), LATER, "has another date_expire"),
        (link(is_date_inherited=1, date_expire=None), LATER, "has another date_expire"),
        (link(action_id="a2", tenant_id="t2"), None, "has another action_id, tenant_id"),
        (link(certificate_id="c2"), None, "has another certificate_id"),
        (None, None, "is gone"),
    ],
)
def test_in_what_a_link_differs_from_the_one_that_was_created(
    row: CertificateActionRow | None, wanted: dt.date | None, said: str | None
) -> None:
    created = CreatedLink(1, "c1", "l1", "t1", Confirmed.ANSWER)
    assert difference(row, created, replace(PLAN, date_expire=wanted)) == said


def test_values_of_4hse_are_plain_text_in_the_question() -> None:
    evil = replace(CERTIFICATE, name="[x](javascript:1)", resource_name="<script>|`", date_expire="x|y")
    action = replace(ACTION, name="**bold**")
    plan = replace(PLAN, candidates=(Candidate("c1", "a|b", evil.sha256),), left_out=(LeftOut("c|9", Why.NOT_FOUND),))
    body = make_question(Looked(plan, action, (evil,)), Settings(), "<i>").body
    for raw in ("[x](javascript:1)", "<script>", "**bold**", "c|9", "a|b", "x|y", "<i>"):
        assert raw not in body


def test_the_question_says_when_nothing_of_it_goes_to_ditio() -> None:
    unpublished = make_question(Looked(PLAN, replace(ACTION, action_type="CHECK"), (CERTIFICATE,)), Settings(), None)
    assert "none of them goes to Ditio" in unpublished.body
    nameless = replace(PLAN, candidates=(replace(PLAN.candidates[0], certificate_type=None),))
    question = make_question(Looked(nameless, ACTION, (CERTIFICATE,)), Settings(), None)
    assert "no rule maps this action" in question.body
    assert question.subject.startswith("Link 1 certificate in 4HSE?")
    assert nameless.sha256 in question.body
