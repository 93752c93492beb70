"""The sandbox under whatever its own OpenAPI descriptions allow, and under what they forbid."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.integration.sandbox.conftest import Client

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
BOUNDED = settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MOST_SECONDS = 120
KNOWN = {"certificate": "certificates", "certificate-action": "links", "person": "persons"}


def _operations(client: Client, vendor: str) -> list[APIOperation]:
    address = client.server.urls["control_url"].rsplit("/control", 1)[0]
    schema = schemathesis.openapi.from_url(f"{address}/{vendor}/openapi.json")
    return [found.ok() for found in schema.get_all_operations()]


def _strategy(operation: APIOperation, mode: GenerationMode) -> st.SearchStrategy[Case] | None:
    """Return cases of an operation; None where there is nothing about it that could be wrong."""
    wrong_is_possible = bool(operation.body) or bool(operation.query)
    return operation.as_strategy(generation_mode=mode) if mode is GenerationMode.POSITIVE or wrong_is_possible else None


def _with_known_id(case: Case, client: Client, chosen: int) -> None:
    """Let every second case be about a row that is there: a random id finds nothing."""
    entity = next((name for name in KNOWN if f"/{name}/" in case.path), None)
    rows = list(getattr(client.server.world, KNOWN[entity])) if entity else []
    if rows and chosen % 2 and "id" in (case.path_parameters or {}):
        key = {"certificate": "certificate_id", "certificate-action": "certificate_action_id", "person": "person_id"}[
            entity or ""
        ]
        case.path_parameters["id"] = rows[chosen % len(rows)][key]


def _assert_vendor_error(answer: requests.Response) -> None:
    """A refusal is JSON that says why, as the vendors' are; the router's own is the one exception."""
    said: Any = json.loads(answer.content)
    told = said if isinstance(said, dict) else (said or [{}])[0]
    assert {"message", "error", "errors", "detail", "name", "code"} & set(told), said


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("vendor", ["4hse", "ditio"])
def test_no_request_breaks_the_sandbox(
    client: Client, vendor: str, mode: GenerationMode, record_testsuite_property: Callable[[str, object], None]
) -> None:
    session = client.fourhse if vendor == "4hse" else client.ditio
    statuses: Counter[int] = Counter()
    operations, started = _operations(client, vendor), time.monotonic()
    assert len(operations) >= 8

    for operation in operations:
        cases = _strategy(operation, mode)
        if cases is None:
            continue

        @BOUNDED
        @given(case=cases, chosen=st.integers(0, 1_000))
        def tried(case: Case, chosen: int) -> None:
            _with_known_id(case, client, chosen)
            headers = {} if "token" in case.path else {"Authorization": session.headers["Authorization"]}
            case.headers = {**(case.headers or {}), **headers}
            note(f"{case.method} {case.path} {case.path_parameters} {case.query} {case.body!r}")
            answer = case.call(timeout=10)
            case.validate_response(answer, checks=CHECKS)
            statuses[answer.status_code] += 1
            if answer.status_code >= 400 and answer.content and case.method != "HEAD":
                _assert_vendor_error(answer)

        with suppress(Unsatisfiable):  # of a text in a path nothing can be wrong
            tried()
    record_testsuite_property(
        f"{vendor} {mode.value}",
        f"{len(operations)} operations, {sum(statuses.values())} requests, {dict(statuses)}",
    )
    assert time.monotonic() - started < MOST_SECONDS
    assert sum(statuses.values()) > len(operations)
    if mode is GenerationMode.POSITIVE:
        assert any(status < 300 for status in statuses), "nothing got through"
    answer = client.call("POST", "/v2/certificate/index", json={"per-page": 1})
    assert answer.status_code == 200, "and it still works"
