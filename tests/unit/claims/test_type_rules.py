"""Which rule names a type: conditions, their order, and what unlinked certificates can match."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from certrecon.claims.types import NO_RULE, RuleColumns, first_rule
from certrecon.settings import TypeRule

LINK = {"action_code": "BYGG", "action_name": "Mobile crane", "certificate_name": "Course", "action_type": "TRAINING"}


def chosen(rules: list[dict[str, Any]], row: dict[str, str | None], *, unlinked: bool = False) -> int:
    """Return the index of the rule that names the type of one row."""
    made = [TypeRule.model_validate({"certificate_type": "A", **rule}) for rule in rules]
    columns = RuleColumns(**{name: pa.array([row[name]], pa.string()) for name in LINK})
    return int(first_rule(made, columns, unlinked=unlinked)[0])


@pytest.mark.parametrize(
    ("rule", "changes", "matches"),
    [
        pytest.param({"action_code": ["X", "BYGG"]}, {}, True, id="any code of several"),
        pytest.param({"action_code": "BYGG"}, {}, True, id="one code without a list"),
        pytest.param({"action_code": [12]}, {"action_code": "12"}, True, id="a code that is a number in YAML"),
        pytest.param(
            {"action_code": [" BYGG "]}, {"action_code": "\tBYGG"}, True, id="codes are trimmed on both sides"
        ),
        pytest.param({"action_code": ["bygg"]}, {}, False, id="codes are exact"),
        pytest.param({"action_code": ["BYG"]}, {}, False, id="codes are whole"),
        pytest.param({"action_code": ["BYGG"]}, {"action_code": None}, False, id="no code"),
        pytest.param({"action_code": ["\u00c51"]}, {"action_code": "A\u030a1"}, True, id="codes are composed"),
        pytest.param({"action_name": "crane"}, {}, True, id="names are searched"),
        pytest.param({"action_name": "^crane"}, {}, False, id="anchors hold"),
        pytest.param({"action_name": "CRANE"}, {}, False, id="case counts"),
        pytest.param({"action_name": "(?i)CRANE"}, {}, True, id="unless the expression says otherwise"),
        pytest.param({"action_name": ".*"}, {"action_name": None}, False, id="no name matches nothing"),
        pytest.param({"action_name": "^$"}, {"action_name": ""}, True, id="an empty name can be matched"),
        pytest.param({"action_name": "h\u00f8yde"}, {"action_name": "i h\u00f8yden"}, True, id="letters beyond ASCII"),
        pytest.param({"certificate_name": "é"}, {"certificate_name": "e\u0301"}, True, id="names are composed"),
        pytest.param({"certificate_name": "e\u0301"}, {"certificate_name": "é"}, True, id="expressions are composed"),
        pytest.param({"action_name": "^kran[a\u030a]$"}, {"action_name": "kran\u00e5"}, True, id="a composed choice"),
        pytest.param({"action_name": r"^\w\u00e5\.$"}, {"action_name": "pa\u030a."}, True, id="escapes stay escapes"),
        pytest.param({"certificate_name": "Course"}, {}, True, id="the certificate's name"),
        pytest.param({"action_type": "TRAINING"}, {}, True, id="action type"),
        pytest.param({"action_type": "TRAINING"}, {"action_type": "training"}, False, id="action types are exact"),
        pytest.param(
            {"action_code": ["BYGG"], "action_name": "crane", "action_type": "TRAINING"}, {}, True, id="all conditions"
        ),
        pytest.param({"action_code": ["BYGG"], "action_name": "truck"}, {}, False, id="not all conditions"),
    ],
)
def test_a_rule(rule: dict[str, Any], changes: dict[str, str | None], matches: bool) -> None:
    assert (chosen([rule], {**LINK, **changes}) == 0) is matches


def test_the_first_that_matches() -> None:
    rules = [{"action_name": "truck"}, {"action_name": "crane"}, {"action_code": ["BYGG"]}]
    assert chosen(rules, dict(LINK)) == 1


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ({"certificate_name": "Course"}, True),
        ({"action_type": "TRAINING"}, True),
        ({"certificate_name": "Course", "action_type": "TRAINING"}, True),
        ({"certificate_name": "Course", "action_code": ["BYGG"]}, False),
        ({"certificate_name": "Course", "action_name": "crane"}, False),
    ],
)
def test_what_an_unlinked_certificate_can_match(rule: dict[str, Any], matches: bool) -> None:
    bare = {**LINK, "action_code": None, "action_name": None}
    assert (chosen([rule], bare, unlinked=True) == 0) is matches
    assert chosen([], bare, unlinked=True) == NO_RULE
