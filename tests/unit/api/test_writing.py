"""Writing requests over real HTTP: what is repeated, what never, and what is said about it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from certrecon.api.ditio import DitioClient
from certrecon.api.ditio_api.records import DitioRecords
from certrecon.api.fourhse import FourHseClient
from certrecon.api.fourhse_api.records import FourHseRecords
from certrecon.api.loop import run
from certrecon.errors import (
    CertreconError,
    CredentialsError,
    PassingError,
    RateLimitedError,
    RequestRefusedError,
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


def test_an_unknown_outcome_says_how_to_find_out_and_is_not_tried_again_by_airflow() -> None:
    got, scripted = tried(CREATE, LOST)
    assert isinstance(got, UnknownOutcomeError)
    assert not isinstance(got, PassingError)
    sent = json.loads(scripted.asked(PATHS[CREATE])[0].body)
    assert got.row_id == sent["certificate_id"]
    assert f"Look for certificate_id {got.row_id} with view()" in str(got)
    assert "may have been done" in str(got)
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


def test_a_preview_never_sends_the_word_force() -> None:
    """A server that takes the word "false" for a text that is not empty would delete."""
    _, previewed = tried(PREVIEW, Reply(200, []))
    _, deleted = tried(DELETE, Reply(204, b""))
    assert [one.query for one in previewed.asked(PATHS[PREVIEW])] == [{}]
    assert [one.query for one in deleted.asked(PATHS[DELETE])] == [{"force": "true"}]


def test_where_nobody_listens_nothing_was_done() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"

        async def main() -> None:
            async with vendor() as scripted:
                endpoint = fourhse_endpoint(scripted.url)
                nowhere = type(endpoint)(f"{dead}/4hse", endpoint.token)
                async with FourHseClient(nowhere, retry=QUICK) as client:
                    await FourHseRecords(client).certificates.create(NEW)

        with pytest.raises(VendorUnavailableError, match="could not be connected to"):
            run(main())


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
