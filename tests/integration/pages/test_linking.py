"""Starting `link_certificates` from the pages: who is offered it, who may, and what the run is started with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from fastapi import FastAPI
from fastapi.testclient import TestClient

from certrecon.errors import ParameterError
from certrecon_plugin.pages.routes.linking import conf_of
from certrecon_plugin.pages.starting import FOLLOWING_DAG, LINK_DAG
from tests.integration.pages.conftest import PREFIX, browser

LINKING = f"{PREFIX}/linking"
WORKLIST = f"{PREFIX}/worklist"
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
FORM: dict[str, Any] = {"certificate": [ONE, TWO], "action_id": "a1"}


@pytest.fixture
def allowed(tmp_path: Path) -> Iterator[None]:
    """Settings that allow linking."""
    file = tmp_path / "settings.yaml"
    file.write_text("linking: {enabled: true, max_certificates: 2}\n", encoding="utf-8")
    before = os.environ.get("CERTRECON_SETTINGS")
    os.environ["CERTRECON_SETTINGS"] = str(file)
    yield
    os.environ.pop("CERTRECON_SETTINGS")
    if before is not None:
        os.environ["CERTRECON_SETTINGS"] = before


@pytest.fixture(scope="module")
def op(airflow: FastAPI) -> TestClient:
    return browser(airflow, "op")


def runs() -> int:
    with create_session() as session:
        return session.query(DagRun).filter(DagRun.dag_id == "link_certificates").count()


@pytest.mark.usefixtures("allowed")
def test_who_may_start_runs_ticks_certificates_without_a_link_and_nothing_else(op: TestClient) -> None:
    page = op.get(WORKLIST).text
    assert page.count('form="linking"') == 1
    assert 'name="certificate" value="c4"' in page
    asked = op.get(LINKING, params={"certificate": [ONE, TWO, ONE]}).text
    assert asked.count('name="certificate"') == 2
    assert 'name="action_id"' in asked


def test_switched_off_the_page_says_how_to_switch_it_on(op: TestClient) -> None:
    for path, params in ((WORKLIST, {}), (LINKING, {"certificate": ONE})):
        page = op.get(path, params=params).text
        assert "linking: {enabled: true}" in page
        assert 'form="linking"' not in page
        assert 'name="action_id"' not in page
    assert op.post(LINKING, data=FORM, headers=OWN).status_code == 400


@pytest.mark.usefixtures("allowed")
def test_who_may_only_look_is_offered_nothing_and_starts_nothing(viewer: TestClient) -> None:
    before = runs()
    assert 'form="linking"' not in viewer.get(WORKLIST).text
    assert 'name="action_id"' not in viewer.get(LINKING, params={"certificate": ONE}).text
    assert viewer.post(LINKING, data=FORM, headers=OWN).status_code == 403
    assert runs() == before


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Authorization": "Basic b2xnYTpvbGdh"},
    ],
    ids=str,
)  # fmt: skip
def test_another_site_starts_nothing_with_somebodys_cookie(op: TestClient, headers: dict[str, str]) -> None:
    before = runs()
    assert op.post(LINKING, data=FORM, headers=headers).status_code == 403
    assert runs() == before


@pytest.fixture
def both_dags() -> Iterator[None]:
    """What Airflow keeps of the two DAGs once it has read them."""
    dags, bundle = (LINK_DAG, FOLLOWING_DAG), "here"
    with create_session() as session:
        session.add(DagBundleModel(name=bundle))
        session.flush()
        session.add_all(DagModel(dag_id=dag, bundle_name=bundle) for dag in dags)
    yield
    with create_session() as session:
        session.query(DagModel).filter(DagModel.dag_id.in_(dags)).delete()
        session.query(DagBundleModel).filter(DagBundleModel.name == bundle).delete()


@pytest.mark.usefixtures("allowed", "both_dags")
def test_who_starts_a_run_hears_of_dags_that_are_paused(op: TestClient) -> None:
    words = {
        LINK_DAG: "its runs wait until somebody unpauses it",
        FOLLOWING_DAG: "with the next night, and not at once",
    }
    for unpaused in ((), (LINK_DAG,), (LINK_DAG, FOLLOWING_DAG)):
        with create_session() as session:
            for dag in words:
                session.query(DagModel).filter(DagModel.dag_id == dag).update({"is_paused": dag not in unpaused})
        page = op.get(LINKING, params={"certificate": ONE}).text
        assert {dag for dag, said in words.items() if said in page} == set(words) - set(unpaused)


REFUSED = [
    pytest.param({"certificate": []}, "Tick certificates", id="none ticked"),
    pytest.param({"action_id": " "}, "id or the code of the action", id="no action"),
    pytest.param({"action_code": "BYGG"}, "twice", id="two actions"),
    pytest.param({"certificate": ["x"]}, "no id of a certificate", id="no id"),
    pytest.param({"date_expire": "tomorrow"}, "no day", id="no day"),
]


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    ("changes", "words"),
    [*REFUSED, pytest.param({"certificate": [ONE, TWO, ONE.replace("1", "3")]}, "At most 2", id="too many")],
)
def test_what_does_not_fit_is_refused_in_words(op: TestClient, changes: dict[str, Any], words: str) -> None:
    before = runs()
    answer = op.post(LINKING, data=FORM | changes, headers=OWN)
    assert (answer.status_code, words in answer.text) == (400, True), answer.text
    assert runs() == before


@pytest.mark.parametrize(
    ("form", "conf"),
    [
        ({"certificate": [ONE, TWO, ONE], "action_id": ["a1"]}, {"certificate_ids": [ONE, TWO], "action_id": "a1"}),
        (
            {"certificate": [ONE], "action_id": ["a1"], "date_expire": ["2027-01-31"], "dry_run": ["yes"]},
            {"certificate_ids": [ONE], "action_id": "a1", "date_expire": "2027-01-31", "dry_run": True},
        ),
        (
            {"certificate": [ONE], "action_id": ["a1"], "date_expire": [""], "dry_run": ["no"], "other": ["x"]},
            {"certificate_ids": [ONE], "action_id": "a1"},
        ),
        (
            {"certificate": [ONE], "action_id": [""], "action_code": ["BYGG"]},
            {"certificate_ids": [ONE], "action_code": "BYGG"},
        ),
    ],
    ids=["the least", "everything", "empty fields", "an action by its code"],
)
def test_the_conf_that_a_form_asks_for(form: dict[str, list[str]], conf: dict[str, Any]) -> None:
    assert conf_of(form) == conf


@pytest.mark.parametrize(("changes", "words"), REFUSED)
def test_a_form_that_asks_for_no_conf(changes: dict[str, Any], words: str) -> None:
    values = FORM | changes
    form = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    with pytest.raises(ParameterError, match=words):
        conf_of(form)


def test_an_address_cannot_make_the_page_say_that_a_run_was_started(op: TestClient) -> None:
    page = op.get(LINKING, params={"started": "manual__never"})
    assert page.status_code == 200
    assert "was started" not in page.text
