"""Every operation of 4HSE's API through `FourHseHook`, over HTTP against the sandbox.

What can be asked of lists, every filter and every order, is in `test_fourhse_lists.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from certrecon.api.fourhse_api.certificates import CertificateChange, CertificateRow, NewCertificate
from certrecon.api.fourhse_api.links import CertificateActionChange, CertificateActionRow, NewCertificateAction
from certrecon.api.fourhse_api.records import FourHseRecords
from certrecon.api.fourhse_api.words import ActionType
from certrecon.errors import (
    CredentialsError,
    IncompleteReadError,
    RequestRefusedError,
    RequirementError,
    UnknownOutcomeError,
)
from certrecon_plugin.hooks.fourhse import FourHseHook
from certrecon_sandbox.faults.wanted import parse_fault
from certrecon_sandbox.server import SandboxServer
from tests.data.vendor_documents import example

NOBODY = "00000000-0000-4000-8000-000000000000"
CREATE = example("4hse_certificate", "create request")
PERSON, TENANT = CREATE["resource_id"], CREATE["tenant_id"]


def one(vendors: SandboxServer, **values: Any) -> dict[str, Any]:
    """Return some certificate of the sandbox that has these values."""
    rows = iter(vendors.world.certificates)
    return next(dict(row) for row in rows if all(row.get(name) == value for name, value in values.items()))


def action_of(vendors: SandboxServer, tenant_id: str = TENANT) -> dict[str, Any]:
    """Return some course of a project."""
    rows = iter(vendors.world.actions)
    return next(dict(row) for row in rows if row["tenant_id"] == tenant_id and row["action_type"] == "TRAINING")


def suspended(vendors: SandboxServer) -> str:
    """Return a project in which nobody may write."""
    return str(next(row["project_id"] for row in vendors.world.projects if row["status"] == "suspended"))


def bodies(vendors: SandboxServer, endpoint: str) -> int:
    """Return how many writing requests came to an endpoint."""
    return sum(write.endpoint == endpoint for write in vendors.sandbox.journal.writes)


# --- the document's own examples ---------------------------------------------------------------------------


def test_the_documents_certificate_lives_through_all_operations(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    created = fourhse.certificates.create(CREATE)
    shown = example("4hse_certificate", "view answer")
    assert created.certificate_id is not None
    viewed = fourhse.certificates.view(created.certificate_id)
    assert viewed == created
    derived = {"certificate_id", "subtenant_id"}  # made by the server
    for name, value in shown.items():
        if name not in derived:
            assert getattr(created, name) == value, name

    asked = example("4hse_certificate", "index request")
    page = fourhse.certificates.index(
        asked["filter"], page=asked["page"], per_page=asked["per-page"], sort=asked["sort"]
    )
    assert created.certificate_id in {row.certificate_id for row in page.rows}
    assert {(row.resource_id, row.action_type) for row in page.rows} == {(PERSON, "TRAINING")}

    change = example("4hse_certificate", "update request")
    updated = fourhse.certificates.update(created.certificate_id, change)
    answered = example("4hse_certificate", "update answer") | {"certificate_id": created.certificate_id}
    assert {name: getattr(updated, name) for name in answered} == answered
    assert fourhse.certificates.view(created.certificate_id) == updated

    assert fourhse.certificates.delete(created.certificate_id).done is False
    assert fourhse.certificates.delete(created.certificate_id, force=True).done is True
    assert fourhse.certificates.view(created.certificate_id) is None
    assert [write.method for write in vendors.sandbox.journal.writes] == ["POST", "PUT", "DELETE", "DELETE"]


# --- lists ---------------------------------------------------------------------------------------------------


def test_an_empty_list_is_one_empty_page(fourhse: FourHseHook) -> None:
    assert [page.rows for page in fourhse.certificates.pages({"resource_id": NOBODY})] == [()]
    assert fourhse.certificates.rows({"resource_id": NOBODY}) == []
    assert fourhse.certificates.frame({"resource_id": NOBODY}).shape[0] == 0


def test_leaving_early_asks_for_no_more(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    first = next(iter(fourhse.certificates.pages(per_page=5)))
    assert len(first.rows) == 5
    assert vendors.sandbox.journal.endpoints["4hse.certificate.index"].requests == 1


def test_pages_that_changed_meanwhile_are_said_to_be_no_whole(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    pages = fourhse.certificates.pages(per_page=100)
    next(pages)
    vendors.world.certificates.remove(next(iter(vendors.world.certificates.rows)))
    with pytest.raises(IncompleteReadError, match="changed while it was read"):
        list(pages)


def test_a_server_that_clamps_pages_is_read_whole(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    vendors.options.max_page_size = 30
    everything = {row["certificate_id"] for row in vendors.world.certificates}
    assert {row.certificate_id for page in fourhse.certificates.pages() for row in page.rows} == everything
    assert {row.certificate_id for row in fourhse.certificates.rows()} == everything


def test_a_frame_has_the_stated_columns(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    frame = fourhse.certificates.frame({"tenant_id": TENANT}, sort="date_expire")
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == [name for name in CertificateRow.columns() if name not in {"data", "note"}]
    assert str(frame.dtypes["validity"]) == "int64[pyarrow]"
    assert str(frame.dtypes["date_expire"]) == "string[pyarrow]"
    assert len(frame) == sum(row["tenant_id"] == TENANT for row in vendors.world.certificates)
    private = fourhse.certificates.table({"action_type": "HEALTH"}, columns=["certificate_id", "data"])
    assert private.column_names == ["certificate_id", "data"]


Reading = Callable[[FourHseHook], Any]
ENTITIES: list[tuple[str, Reading, str, str]] = [
    ("certificate-action", lambda hook: hook.certificate_actions, "links", "-date_expire"),
    ("person", lambda hook: hook.persons, "persons", "last_name"),
    ("project", lambda hook: hook.projects, "projects", ""),
    ("action", lambda hook: hook.actions, "actions", "-code"),
]


@pytest.mark.parametrize(("read", "table", "sort"), [row[1:] for row in ENTITIES], ids=[row[0] for row in ENTITIES])
def test_the_other_entities_are_listed_and_viewed(
    fourhse: FourHseHook, vendors: SandboxServer, read: Reading, table: str, sort: str
) -> None:
    stored = vendors.world.tables()[table]
    rows = read(fourhse).rows(sort=sort or None, history=True)
    assert {row.row_id for row in rows} == set(stored.rows)
    some = stored.rows[rows[0].row_id]
    documented = {name: getattr(rows[0], name) for name in rows[0].columns() if name in some}
    assert documented == {name: some[name] for name in documented}
    assert len(documented) >= 4
    assert read(fourhse).view(rows[0].row_id) == rows[0]
    assert read(fourhse).view(NOBODY) is None
    frame = read(fourhse).frame(history=True)
    assert len(frame) == len(stored)
    assert next(iter(read(fourhse).pages(history=True))).total_count == len(stored)
    assert read(fourhse).index(per_page=1).per_page == 1


def test_historicised_persons_come_only_when_asked_for(fourhse: FourHseHook) -> None:
    everybody = fourhse.persons.rows(history=True)
    current = fourhse.persons.rows()
    gone = {row.person_id for row in everybody} - {row.person_id for row in current}
    assert gone
    assert all(row.owned_active is False or row.parent_active is False for row in everybody if row.person_id in gone)


def test_a_person_by_employee_number(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    codes = [row["code"] for row in vendors.world.persons if row["project_id"] == TENANT]
    code = next(code for code in codes if code and codes.count(code) == 1 and code.strip() == code)
    found = fourhse.persons.view_by_code(code, TENANT)
    assert found is not None
    assert (found.code, found.project_id) == (code, TENANT)
    assert fourhse.persons.view_by_code("no such number", TENANT) is None


# --- links -----------------------------------------------------------------------------------------------------


def test_a_link_lives_through_all_operations(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    certificate = fourhse.certificates.create(CREATE)
    assert certificate.certificate_id is not None
    action = action_of(vendors)
    new = NewCertificateAction(
        certificate_id=certificate.certificate_id, action_id=action["action_id"], tenant_id=TENANT
    )
    link = fourhse.certificate_actions.create(new)
    assert (link.date_expire, link.is_date_inherited, link.action_code) == ("2029-01-15", 1, action["code"])
    assert fourhse.certificate_actions.rows({"certificate_id": certificate.certificate_id}) == [link]
    assert link.certificate_action_id is not None

    changed = fourhse.certificate_actions.update(
        link.certificate_action_id, CertificateActionChange(date_expire="2027-01-01")
    )
    assert (changed.date_expire, changed.is_date_inherited) == ("2027-01-01", 0)
    preview = fourhse.certificates.delete(certificate.certificate_id)
    assert [child["id"] for child in preview.children] == [link.certificate_action_id]
    assert fourhse.certificate_actions.view(link.certificate_action_id) is not None, "a preview deletes nothing"

    assert fourhse.certificate_actions.delete(link.certificate_action_id).children == ()
    assert fourhse.certificate_actions.delete(link.certificate_action_id, force=True).done
    assert fourhse.certificate_actions.view(link.certificate_action_id) is None


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "unlinked"])
@pytest.mark.parametrize("status", [200, 409])
@pytest.mark.parametrize("shape", ["list", "by_kind"])
def test_a_preview_has_the_links_in_each_form(
    fourhse: FourHseHook, vendors: SandboxServer, shape: str, status: int, linked: bool
) -> None:
    vendors.options.change({"fourhse_preview_shape": shape, "fourhse_preview_status": status})
    having = {link["certificate_id"] for link in vendors.world.links}
    certificate_id = next(key for key in vendors.world.certificates.rows if (key in having) is linked)
    links = {link["certificate_action_id"] for link in vendors.world.links.where("certificate_id", certificate_id)}
    children = fourhse.certificates.delete(certificate_id).children
    assert bool(children) is linked
    told = children if shape == "list" else [child for kind, child in children if kind == "CertificateAction"]
    assert {child["id"] for child in told} == links
    assert len(children) == len(links)
    assert fourhse.certificates.view(certificate_id) is not None, "a preview deletes nothing"


def test_deleting_a_certificate_deletes_its_links(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    link = next(iter(vendors.world.links))
    fourhse.certificates.delete(link["certificate_id"], force=True)
    assert fourhse.certificate_actions.rows({"certificate_id": link["certificate_id"]}) == []


# --- what is refused -------------------------------------------------------------------------------------------

Work = Callable[[FourHseHook], Any]
BEFORE: list[tuple[str, Work, str]] = [
    ("create without a name", lambda hook: hook.certificates.create(CREATE | {"name": None}), "name"),
    ("create with a long name", lambda hook: hook.certificates.create(CREATE | {"name": "x" * 256}), "name"),
    ("create of a wrong day", lambda hook: hook.certificates.create(CREATE | {"date_release": "1/15/24"}), "date_release"),
    ("create of an unknown type", lambda hook: hook.certificates.create(CREATE | {"action_type": "COURSE"}), "action_type"),
    ("update to no name", lambda hook: hook.certificates.update(NOBODY, {"name": ""}), "name"),
    ("update of nothing", lambda hook: hook.certificates.update(NOBODY, {}), "(all)"),
    ("update of no id", lambda hook: hook.certificates.update("1", {"name": "n"}), "certificate_id"),
    ("view of no id", lambda hook: hook.certificates.view(""), "certificate_id"),
    ("delete of no id", lambda hook: hook.certificates.delete("../x", force=True), "certificate_id"),
    ("index of page 0", lambda hook: hook.certificates.index(page=0), "page"),
    ("pages of no rows", lambda hook: list(hook.certificates.pages(per_page=0)), "per-page"),
    ("rows by an unknown order", lambda hook: hook.certificates.rows(sort="note"), "sort"),
    ("frame by an unknown filter", lambda hook: hook.certificates.frame({"colour": "red"}), "colour"),
    ("rows of a project that is None", lambda hook: hook.certificates.rows({"tenant_id": None}), "tenant_id"),
    ("pages of a person that is None", lambda hook: list(hook.certificate_actions.pages({"resource_id": None})), "resource_id"),
    ("update of another row", lambda hook: hook.certificates.update(NOBODY, {"certificate_id": PERSON, "name": "n"}), "certificate_id"),
    ("link without an action", lambda hook: hook.certificate_actions.create({"certificate_id": NOBODY, "tenant_id": TENANT}), "action_id"),
    ("person without a project", lambda hook: hook.persons.view_by_code("1", ""), "project_id"),
    ("projects by an unknown status", lambda hook: hook.projects.index({"status": "ACTIVE"}), "status"),
    ("actions by an unknown unit", lambda hook: hook.actions.rows({"action_type": "training"}), "action_type"),
]  # fmt: skip


@pytest.mark.parametrize(("work", "field"), [row[1:] for row in BEFORE], ids=[row[0] for row in BEFORE])
def test_requirements_are_checked_before_any_request(
    fourhse: FourHseHook, vendors: SandboxServer, work: Work, field: str
) -> None:
    with pytest.raises(RequirementError) as raised:
        work(fourhse)
    assert raised.value.fields == (field,)
    assert vendors.sandbox.journal.endpoints == {}, "not even a token was asked for"


def test_what_only_the_server_can_know_is_told_with_its_words(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    for body, field in (
        (CREATE | {"tenant_id": NOBODY}, "tenant_id"),
        (CREATE | {"certificate_id": one(vendors)["certificate_id"]}, "certificate_id"),
    ):
        with pytest.raises(RequestRefusedError, match=field) as raised:
            fourhse.certificates.create(body)
        assert raised.value.status == 422
    with pytest.raises(RequestRefusedError) as gone:
        fourhse.certificates.update(NOBODY, {"name": "n"})
    assert gone.value.status == 404
    for force in (False, True):
        with pytest.raises(RequestRefusedError) as absent:
            fourhse.certificates.delete(NOBODY, force=force)
        assert absent.value.status == 404


def test_who_may_not_write_is_told_so(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    tenant = suspended(vendors)
    theirs = one(vendors, tenant_id=tenant)["certificate_id"]
    refused: list[Work] = [
        lambda hook: hook.certificates.create(CREATE | {"tenant_id": tenant}),
        lambda hook: hook.certificates.update(theirs, {"name": "n"}),
        lambda hook: hook.certificates.delete(theirs, force=True),
    ]
    for work in refused:
        with pytest.raises(CredentialsError, match="403 Forbidden"):
            work(fourhse)
    assert vendors.world.certificates.get(theirs) is not None


def test_wrong_credentials_are_told_so(vendors: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = vendors.connection_variables(access_token=True)["AIRFLOW_CONN_FOURHSE_DEFAULT"]
    monkeypatch.setenv("AIRFLOW_CONN_FOURHSE_DEFAULT", wrong.replace("sandbox-access-token", "hush"))
    with pytest.raises(CredentialsError) as raised:
        FourHseHook().certificates.create(CREATE)
    assert "hush" not in str(raised.value)
    assert len(vendors.world.certificates) == len({row["certificate_id"] for row in vendors.world.certificates})


# --- answers that do not come -----------------------------------------------------------------------------------


def test_a_create_whose_answer_is_lost_can_be_looked_for(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    vendors.sandbox.faults.add(parse_fault("4hse.certificate.create=lost_answer:times=1"))
    with pytest.raises(UnknownOutcomeError) as raised:
        fourhse.certificates.create(NewCertificate.from_mapping(CREATE))
    assert bodies(vendors, "4hse.certificate.create") == 1, "never sent again blindly"
    assert raised.value.row_id is not None
    found = fourhse.certificates.view(raised.value.row_id)
    assert found is not None, "it had been done"
    assert found.name == CREATE["name"]


def test_a_create_that_never_arrived_is_found_not_to_be_there(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    vendors.sandbox.faults.add(parse_fault("4hse.certificate.create=reset:times=1"))
    with pytest.raises(UnknownOutcomeError) as raised:
        fourhse.certificates.create(CREATE)
    assert raised.value.row_id is not None
    assert fourhse.certificates.view(raised.value.row_id) is None
    assert fourhse.certificates.create(CREATE | {"certificate_id": raised.value.row_id}).row_id == raised.value.row_id


@pytest.mark.parametrize("kind", ["lost_answer:times=1", "status:status=502,times=2", "rate_limited:times=2"])
def test_changes_and_deletions_are_repeated(fourhse: FourHseHook, vendors: SandboxServer, kind: str) -> None:
    identity = one(vendors, tenant_id=TENANT)["certificate_id"]
    vendors.sandbox.faults.add(parse_fault(f"4hse.certificate.update={kind}"))
    vendors.sandbox.faults.add(parse_fault(f"4hse.certificate.delete={kind}"))
    assert fourhse.certificates.update(identity, CertificateChange(name="Again")).name == "Again"
    assert fourhse.certificates.delete(identity, force=True).done
    assert vendors.world.certificates.get(identity) is None


# --- sessions ---------------------------------------------------------------------------------------------------


def test_one_session_asks_for_one_token(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    for _ in range(3):
        fourhse.projects.index()
    assert vendors.sandbox.journal.endpoints["4hse.token"].requests == 1
    alone = FourHseHook()
    assert [alone.projects.index().rows, next(iter(alone.projects.pages())).rows] == [fourhse.projects.index().rows] * 2
    assert vendors.sandbox.journal.endpoints["4hse.token"].requests == 3


def test_the_asynchronous_client_does_the_same(vendors: SandboxServer) -> None:
    async def main() -> tuple[list[CertificateActionRow], int]:
        async with FourHseHook().client() as client:
            fourhse = FourHseRecords(client)
            pages = [page async for page in fourhse.certificates.pages({"action_type": ActionType.TRAINING})]
            return await fourhse.certificate_actions.rows(), sum(len(page.rows) for page in pages)

    links, trainings = asyncio.run(main())
    assert len(links) == len(vendors.world.links)
    assert trainings == sum(row["action_type"] == "TRAINING" for row in vendors.world.certificates)


def test_nothing_personal_is_logged(fourhse: FourHseHook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = {"note": "hush-note", "data": {"hush": "hush-data"}, "name": "hush-name", "action_type": "HEALTH"}
    created = fourhse.certificates.create(CREATE | secret)
    logging.getLogger("a task").info("%s %s", created, fourhse.certificates.rows({"action_type": "HEALTH"}))
    assert created.data == secret["data"], "the caller has it"
    assert "hush" not in caplog.text
