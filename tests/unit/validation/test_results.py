"""A result that is not whole fails the run: an expectation that raised is never a pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from certrecon.claims.facts import CLAIM_FACTS
from certrecon.dispositions.verdicts import collect
from certrecon.errors import AccountingError, RuleEvaluationError
from certrecon.settings import Settings
from certrecon.validation.results import read_result
from certrecon.validation.run import validate
from certrecon.words import Subject
from tests.oracle.base import AS_OF, base_world
from tests.property.judging import judge

Document = dict[str, Any]


@pytest.fixture(scope="module")
def facts() -> pa.Table:
    """The facts of the base world's one claim."""
    return judge(base_world())[0].claims.facts


@pytest.fixture(scope="module")
def document(facts: pa.Table) -> str:
    """Great Expectations' result on its dates."""
    return validate(Subject.DATES, facts, Settings(), AS_OF).document


def _first(document: Document) -> Document:
    result: Document = document["results"][0]
    return result


def _raise(document: Document) -> None:
    _first(document)["exception_info"] = {"m": {"raised_exception": True, "exception_message": "no such column"}}


def _raise_flat(document: Document) -> None:
    _first(document)["exception_info"] = {"raised_exception": True, "exception_message": "no such column"}


def _no_result(document: Document) -> None:
    _first(document)["result"] = {}


def _other_count(document: Document) -> None:
    _first(document)["result"]["unexpected_count"] = 7


def _one_less(document: Document) -> None:
    del document["results"][0]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(_raise, "no such column", id="raised"),
        pytest.param(_raise_flat, "no such column", id="raised-as-one"),
        pytest.param(_no_result, "instead of giving a result", id="no-result"),
        pytest.param(_other_count, "counts 7 rows but names 0", id="count-and-rows-disagree"),
        pytest.param(_one_less, "without a result", id="expectation-missing"),
    ],
)
def test_a_result_that_is_not_whole(document: str, damage: Callable[[Document], None], says: str) -> None:
    assert read_result(Subject.DATES, document, 1).counts["ISSUED_MISSING"] == 0
    damaged = json.loads(document)
    damage(damaged)
    with pytest.raises(RuleEvaluationError, match=says):
        read_result(Subject.DATES, json.dumps(damaged), 1)


def test_a_bitmap_of_other_rows(document: str) -> None:
    with pytest.raises(ValueError, match="not one of 9 rows"):
        read_result(Subject.DATES, document, 9)


def test_an_expectation_that_raises_in_great_expectations(facts: pa.Table) -> None:
    """A real failure of a real expectation: a column holds what its rule cannot compare."""
    place = CLAIM_FACTS.get_field_index("expiry_day")
    broken = facts.set_column(place, "expiry_day", pa.array(["not a number"]))
    with pytest.raises(RuleEvaluationError, match="raised instead of giving a result"):
        validate(Subject.DATES, broken, Settings(), AS_OF)


def test_a_subject_that_was_never_looked_at(facts: pa.Table) -> None:
    results = [validate(subject, facts, Settings(), AS_OF) for subject in (Subject.DATES, Subject.EMPLOYEE_MATCH)]
    with pytest.raises(AccountingError, match="of 29 findings"):
        collect(results, Settings())


def test_no_claims_at_all() -> None:
    result = validate(Subject.LINKS_AND_TYPES, CLAIM_FACTS.empty_table(), Settings(), AS_OF)
    assert result.rows == 0
    assert set(result.counts.values()) == {0}


def test_findings_of_many_claims_keep_their_rows(facts: pa.Table) -> None:
    """Row by row: the ninth claim alone, on both sides of a byte of the bitmap."""
    many = pa.concat_tables([facts] * 17)
    linked = np.ones(17, np.bool_)
    linked[[0, 8, 16]] = False
    place = CLAIM_FACTS.get_field_index("linked")
    result = validate(Subject.LINKS_AND_TYPES, many.set_column(place, "linked", pa.array(linked)), Settings(), AS_OF)
    assert np.flatnonzero(result.found["ACTION_LINK_MISSING"]).tolist() == [0, 8, 16]
    assert result.counts["ACTION_LINK_MISSING"] == 3
