"""Writing requests over real HTTP: what is repeated, what never, and what is said about it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from certrecon.api.ditio import DitioClient
from certrecon.api.ditio_api.records import DitioRecords
from certrecon.api.fourhse import FourHseClient
from certrecon.api.fourhse_api.certificates import CertificateChange, CertificateRow
from certrecon.api.fourhse_api.links import CertificateActionChange
from certrecon.api.fourhse_api.records import FourHseRecords
from certrecon.api.loop import run
from certrecon.api.wire import Timeouts
from certrecon.errors import (
    CertreconError,
    CredentialsError,
    PassingError,
    RateLimitedError,
    RequestRefusedError,
    RequirementError,
    ResponseFormatError,
    UnknownOutcomeError,
    VendorUnavailableError,
)
from tests.unit.api.scripted import QUICK, SECRETS, Reply, Vendor, ditio_endpoint, fourhse_endpoint, vendor

ID = "e3a1f5d2-8c4b-4e7a-9f6d-2b1c3d4e5f6a"
NEW = {"date_release": "2024-01-15", "name": "Hush", "action_type": "TRAINING", "resource_id": ID, "tenant_id": ID}
UPSERT = {
    "employeeNumber": "1042", "certificateType": "Byggekort",
    "issuedDateTime": "2026-01-15T00:00:00Z", "validUntilDateTime": "2028-01-15T00:00:00Z",
}  # fmt: skip
ROW = Reply(201, {"certificate_id": ID, "name": "Hush"})
LOST, CUT = Reply(201, ROW.body, then="reset"), Reply(201, b'{"certificate_id": "e3a', then="cut")
NO_WHOLE = Reply(201, {"certificate_id": ID, "name": "Hush", "validity": "Hush"})
BROKEN = Reply(201, b'{"certificate_id": "Hush" oops}')
NO_PAGE = Reply(200, b"<html>Please log in</html>")
REFUSED = Reply(422, [{"field": "name", "message": 'Name "Hush" is invalid.'}])
GONE = Reply(404, {"name": "Not Found", "message": "Object not found", "code": 0, "status": 404})

Work = Callable[[FourHseRecords], Coroutine[Any, Any, Any]]
CREATE: Work = lambda fourhse: fourhse.certificates.create(NEW)  # noqa: E731
UPDATE: Work = lambda fourhse: fourhse.certificates.update(ID, {"name": "Hush"})  # noqa: E731
DELETE: Work = lambda fourhse: fourhse.certificates.delete(ID, force=True)  # noqa: E731
PREVIEW: Work = lambda fourhse: fourhse.certificates.delete(ID)  # noqa: E731
VIEW = f"/4hse/v2/certificate/view/{ID}"
PATHS = {
    CREATE: "/4hse/v2/certificate/create",
    UPDATE: f"/4hse/v2/certificate/update/{ID}",
    DELETE: f"/4hse/v2/certificate/delete/{ID}",
    PREVIEW: f"/4hse/v2/certificate/delete/{ID}",
}


def tried(work: Work, *replies: Reply, found: Reply = ROW) -> tuple[Any, Vendor]:
    """Do one thing with a vendor that answers so; return the result or the error, and the vendor."""

    async def main() -> tuple[Any, Vendor]:
        async with vendor() as scripted, FourHseClient(fourhse_endpoint(scripted.url), retry=QUICK) as client:
            scripted.script(VIEW, found)
            scripted.script(PATHS[work], *replies)
            try:
                return await work(FourHseRecords(client)), scripted
            except CertreconError as error:
                return error, scripted

    return run(main())


OUTCOMES: list[tuple[str, Work, list[Reply], type[Any] | None, int]] = [
    ("created", CREATE, [ROW], None, 1),
    ("a create without an answer is not repeated", CREATE, [LOST, ROW], UnknownOutcomeError, 1),
    ("nor one whose answer was cut", CREATE, [CUT, ROW], UnknownOutcomeError, 1),
    ("nor one that a proxy answered", CREATE, [NO_PAGE, ROW], UnknownOutcomeError, 1),
    ("nor one that failed inside", CREATE, [Reply(500), ROW], UnknownOutcomeError, 1),
    ("nor one that a gateway gave up", CREATE, [Reply(504, b"<html>"), ROW], UnknownOutcomeError, 1),
    ("nor one whose answer has no field that can be read", CREATE, [NO_WHOLE, ROW], UnknownOutcomeError, 1),
    ("nor one whose answer is broken inside", CREATE, [BROKEN, ROW], UnknownOutcomeError, 1),
    ("nor one whose answer names no row", CREATE, [Reply(200, {"success": True}), ROW], UnknownOutcomeError, 1),
    ("a create that had to wait is", CREATE, [Reply(429, headers={"Retry-After": "0"}), ROW], None, 2),
    ("a create with an old token is", CREATE, [Reply(401), ROW], None, 2),
    ("a create that keeps being refused", CREATE, [Reply(401)], CredentialsError, 2),
    ("a create that keeps having to wait", CREATE, [Reply(429)], RateLimitedError, 4),
    ("a create of what is not allowed", CREATE, [REFUSED], RequestRefusedError, 1),
    ("a create without the right to", CREATE, [Reply(403)], CredentialsError, 1),
    ("a create that is sent elsewhere", CREATE, [Reply(307, headers={"Location": "/x"})], RequestRefusedError, 1),
    ("a change without an answer is repeated", UPDATE, [LOST, CUT, ROW], None, 3),
    ("a change that fails inside is repeated", UPDATE, [Reply(500), Reply(503), ROW], None, 3),
    ("but not for ever", UPDATE, [Reply(500)], VendorUnavailableError, 3),
    ("a change of what is not there", UPDATE, [GONE], RequestRefusedError, 1),
    ("a change that is refused", UPDATE, [REFUSED], RequestRefusedError, 1),
    ("a change without the right to", UPDATE, [Reply(403)], CredentialsError, 1),
    ("deleted", DELETE, [Reply(204, b"")], None, 1),
    ("a deletion without an answer is repeated", DELETE, [LOST, Reply(204, b"")], None, 2),
    ("and was done if the row is gone then", DELETE, [LOST, GONE], None, 2),
    ("or if somebody else was quicker", DELETE, [GONE], None, 1),
    ("a deletion without the right to", DELETE, [Reply(403)], CredentialsError, 1),
    ("a preview", PREVIEW, [Reply(200, [{"entity": "CertificateAction"}])], None, 1),
    ("a preview as a conflict", PREVIEW, [Reply(409, [{"entity": "CertificateAction"}])], None, 1),
    ("a preview as an object", PREVIEW, [Reply(200, {"CertificateAction": ["a"]})], None, 1),
    ("a preview of nothing else", PREVIEW, [Reply(200, [])], None, 1),
    ("a preview that may have been a deletion", PREVIEW, [Reply(204, b"")], ResponseFormatError, 1),
    ("a conflict that is no preview", PREVIEW, [Reply(409, {"message": "x", "status": 409})], ResponseFormatError, 1),
    ("a preview of what is not there", PREVIEW, [GONE], RequestRefusedError, 1),
    ("a preview that a proxy answered", PREVIEW, [NO_PAGE, Reply(200, [])], None, 2),
]


@pytest.mark.parametrize(
    ("work", "replies", "error", "requests"), [one[1:] for one in OUTCOMES], ids=[one[0] for one in OUTCOMES]
)
def test_what_is_repeated(work: Work, replies: list[Reply], error: type[Any] | None, requests: int) -> None:
    got, scripted = tried(work, *replies)
    assert type(got) is error if error else not isinstance(got, Exception)
    asked = scripted.asked(PATHS[work])
    assert len(asked) == requests
    assert len({one.body for one in asked}) == 1, "what is repeated is the same request"
    if isinstance(got, Exception):
        assert not any(secret in str(got) for secret in (*SECRETS, "Hush"))


@pytest.mark.parametrize("reply", [LOST, NO_WHOLE, BROKEN, Reply(200, {})], ids=["lost", "a field", "JSON", "no row"])
def test_an_unknown_outcome_says_how_to_find_out_and_is_not_tried_again_by_airflow(reply: Reply) -> None:
    got, scripted = tried(CREATE, reply)
    assert isinstance(got, UnknownOutcomeError)
    assert not isinstance(got, PassingError)
    sent = json.loads(scripted.asked(PATHS[CREATE])[0].body)
    assert got.row_id == sent["certificate_id"]
    assert f"Look for certificate_id {got.row_id} with view()" in str(got)
    assert "may have been " in str(got)
    assert got.__context__ is None, "no traceback shows what was answered"
    assert {name: value for name, value in sent.items() if name != "certificate_id"} == NEW


def test_what_is_not_there_is_not_deleted() -> None:
    got, scripted = tried(DELETE, Reply(204, b""), found=GONE)
    assert isinstance(got, RequestRefusedError)
    assert got.status == 404
    assert scripted.asked(PATHS[DELETE]) == []


def test_an_id_of_ones_own_is_kept() -> None:
    _, scripted = tried(CREATE, ROW)
    own_id = "00000000-0000-4000-8000-000000000001"
    work: Work = lambda fourhse: fourhse.certificates.create(NEW | {"certificate_id": own_id})  # noqa: E731
    PATHS[work] = PATHS[CREATE]
    _, own = tried(work, ROW)
    assert json.loads(own.asked(PATHS[CREATE])[0].body)["certificate_id"] == own_id
    assert json.loads(scripted.asked(PATHS[CREATE])[0].body)["certificate_id"] != own_id


CHILDREN: list[tuple[str, Any, tuple[Any, ...]]] = [
    ("a list of nothing", [], ()),
    ("an object of nothing", {}, ()),
    ("no child of any kind", {"CertificateAction": [], "EntityAttachment": []}, ()),
    ("nothing said of a kind", {"CertificateAction": None, "EntityAttachment": {}}, ()),
    ("none counted", {"CertificateAction": 0}, ()),
    ("a list", [{"entity": "CertificateAction", "id": "a"}], ({"entity": "CertificateAction", "id": "a"},)),
    (
        "an object by kind",
        {"CertificateAction": [{"id": "a"}, {"id": "b"}], "EntityAttachment": ["c"], "Other": []},
        (("CertificateAction", {"id": "a"}), ("CertificateAction", {"id": "b"}), ("EntityAttachment", "c")),
    ),
    ("one child of a kind, without a list", {"CertificateAction": {"id": "a"}}, (("CertificateAction", {"id": "a"}),)),
    ("a number of children", {"CertificateAction": 2}, (("CertificateAction", 2),)),
]


@pytest.mark.parametrize(("answer", "children"), [one[1:] for one in CHILDREN], ids=[one[0] for one in CHILDREN])
def test_a_preview_has_every_child_and_nothing_else(answer: Any, children: tuple[Any, ...]) -> None:
    got, _ = tried(PREVIEW, Reply(200, answer))
    assert got.children == children
    assert got.done is False


OTHER = "00000000-0000-4000-8000-000000000002"


@pytest.mark.parametrize("own", [ID, ID.upper()], ids=["the same", "in capitals"])
def test_a_change_may_repeat_the_rows_id_and_does_not_send_it(own: str) -> None:
    for change in ({"certificate_id": own, "name": "Hush"}, CertificateChange(certificate_id=own, name="Hush")):
        work: Work = lambda fourhse, change=change: fourhse.certificates.update(ID, change)  # noqa: E731
        PATHS[work] = PATHS[UPDATE]
        got, scripted = tried(work, ROW)
        assert got.certificate_id == ID
        assert [json.loads(one.body) for one in scripted.asked(PATHS[UPDATE])] == [{"name": "Hush"}]


@pytest.mark.parametrize(
    ("work", "field"),
    [
        (lambda fourhse: fourhse.certificates.update(ID, {"certificate_id": OTHER, "name": "n"}), "certificate_id"),
        (
            lambda fourhse: fourhse.certificate_actions.update(
                ID, CertificateActionChange(certificate_action_id=OTHER, date_expire=None)
            ),
            "certificate_action_id",
        ),
    ],
    ids=["certificate", "link"],
)
def test_a_change_with_another_rows_id_is_refused(work: Work, field: str) -> None:
    PATHS[work] = PATHS[UPDATE]
    got, scripted = tried(work, ROW)
    assert isinstance(got, RequirementError)
    assert got.fields == (field,)
    assert f"{field}: is another row's id" in str(got)
    assert scripted.seen == [], "nothing was sent"


def test_a_preview_never_sends_the_word_force() -> None:
    """A server that takes the word "false" for a text that is not empty would delete."""
    _, previewed = tried(PREVIEW, Reply(200, []))
    _, deleted = tried(DELETE, Reply(204, b""))
    assert [one.query for one in previewed.asked(PATHS[PREVIEW])] == [{}]
    assert [one.query for one in deleted.asked(PATHS[DELETE])] == [{"force": "true"}]


def create_at(url: str, timeouts: Timeouts | None = None) -> CertreconError | CertificateRow:
    """Create where the API is at another address than the token endpoint."""

    async def main() -> CertreconError | CertificateRow:
        async with vendor() as scripted:
            endpoint = fourhse_endpoint(scripted.url)
            nowhere = type(endpoint)(f"{url}/4hse", endpoint.token)
            async with FourHseClient(nowhere, retry=QUICK, timeouts=timeouts) as client:
                try:
                    return await FourHseRecords(client).certificates.create(NEW)
                except CertreconError as error:
                    return error

    return run(main())


@contextmanager
def never_accepting() -> Iterator[str]:
    """Listen with no place left: whoever connects waits, as behind a firewall that says nothing."""
    with ExitStack() as sockets:
        listening = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_where_nobody_listens_nothing_was_done() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        got = create_at(f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert isinstance(got, VendorUnavailableError)
    assert "could not be connected to" in str(got)


def test_where_no_connection_came_about_in_time_nothing_was_done() -> None:
    with never_accepting() as url:
        got = create_at(url, Timeouts(connect=0.2))
    assert isinstance(got, VendorUnavailableError)
    assert "could not be connected to (no answer in time)" in str(got)
    assert "tried 3 times" in str(got)


def test_where_a_connection_is_not_answered_in_time_it_may_have_been_done() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        got = create_at(f"http://127.0.0.1:{silent.getsockname()[1]}", Timeouts(connect=5.0, read=0.2))
    assert isinstance(got, UnknownOutcomeError)
    assert "gave no answer in time" in str(got)


UPSERTS: list[tuple[str, list[Reply], type[Any] | None, int]] = [
    ("acknowledged without a body", [Reply(201, b"")], None, 1),
    ("an upsert without an answer is repeated", [LOST, Reply(200, [])], None, 2),
    ("an upsert that failed inside is repeated", [Reply(500), Reply(204, b"")], None, 2),
    ("a refused row", [Reply(400, {"error": "EmployeeNotFound", "message": "No 'Hush'."})], RequestRefusedError, 1),
    ("a missing scope", [Reply(403)], CredentialsError, 1),
    ("another address", [Reply(404)], RequestRefusedError, 1),
    ("too many at once", [Reply(413)], RequestRefusedError, 1),
]


@pytest.mark.parametrize(
    ("replies", "error", "requests"), [one[1:] for one in UPSERTS], ids=[one[0] for one in UPSERTS]
)
def test_an_upsert(replies: list[Reply], error: type[Any] | None, requests: int) -> None:
    path = "/ditio/api/v4/integration/certificates"

    async def main() -> tuple[Any, Vendor]:
        async with vendor() as scripted, DitioClient(ditio_endpoint(scripted.url), retry=QUICK) as client:
            scripted.script(path, *replies)
            try:
                return await DitioRecords(client).upsert_certificates([UPSERT]), scripted
            except CertreconError as raised:
                return raised, scripted

    got, scripted = run(main())
    assert type(got) is error if error else got == 1
    assert len(scripted.asked(path)) == requests
    assert json.loads(scripted.asked(path)[0].body) == [UPSERT]
    assert "Hush" not in str(got)
