"""What *Test connection* asks a vendor: a token and a few rows. It never writes, and never tries twice.

A person waits for the answer, so there are no retries and the time-outs are short. What a request may not do elsewhere
it may not do here either: no redirect is followed, and no error body is shown but its code and words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

import msgspec

from certrecon.api import probe_words
from certrecon.api.ditio import EMPLOYEE_PATHS, MAX_EMPLOYEES_BODY, employees_part
from certrecon.api.endpoint import AccessToken, DitioEndpoint, FourHseEndpoint
from certrecon.api.fourhse import Project
from certrecon.api.labels import Label
from certrecon.api.probe_words import Advice
from certrecon.api.redaction import Redactor
from certrecon.api.rows import raw_rows, text_of_raw
from certrecon.api.tokens import Auth, BearerToken, Credential, StaticAccessToken, client_credentials, password_grant
from certrecon.api.wire import Answer, Expect, Fault, Request, Timeouts, Wire
from certrecon.errors import ConnectionSettingsError, CredentialsError
from certrecon.words import EmployeeSource

PATIENCE = Timeouts(connect=5.0, read=15.0)
SECONDS = 30.0
"""Most seconds of one request."""
PROJECTS = 100
"""Projects that are looked at; the number of all of them is in the answer's headers."""
RIGHTS = {"certificate": "certificates", "certificate-action": "certificate actions", "person": "persons"}
"""What a run reads of every project, by entity."""
Tell = Callable[[str], None]


class Probe:
    """Asks one vendor, once a request, and says in words what is wrong."""

    def __init__(self, advice: Advice, wire: Wire, redactor: Redactor) -> None:
        """Keep the vendor's words, an open wire, and what knows the secrets."""
        self._advice = advice
        self._wire = wire
        self._redactor = redactor

    async def sign_in(self, auth: Auth) -> Credential:
        """Return a credential, from the token endpoint where there is one.

        Raises:
            CertreconError: There is none; the message names the field that is wrong.
        """
        return await auth.credential(self._token)

    async def send(self, request: Request, credential: Credential) -> Answer | Fault:
        """Send a request to the API once."""
        headers, query = {**request.headers, **credential.headers}, {**request.query, **credential.query}
        return await self._wire.send(replace(request, headers=headers, query=query), total=SECONDS)

    def require(self, request: Request, result: Answer | Fault, what: str, label: Label = Label.HOST) -> Answer:
        """Return the answer if it is a success.

        Args:
            request: What was asked.
            result: What came of it.
            what: What was asked for, for the message.
            label: The field that holds the address.

        Raises:
            CertreconError: It is none; the message names the field that is wrong.
        """
        if isinstance(result, Fault):
            raise probe_words.fault_words(self._advice, label, request.url, result)
        if not is_success(result):
            raise probe_words.refusal_words(self._advice, label, request.url, result, what, self._redactor)
        return result

    async def _token(self, request: Request) -> Answer:
        return self.require(request, await self._wire.send(request, total=SECONDS), "a token", Label.TOKEN_URL)


def is_success(result: Answer | Fault) -> bool:
    """Return whether a request succeeded."""
    return isinstance(result, Answer) and result.status // 100 == HTTPStatus.OK // 100


async def probe_fourhse(endpoint: FourHseEndpoint, *, on_secret: Tell | None = None) -> str:
    """Return what a 4HSE connection sees, in words.

    Args:
        endpoint: Where 4HSE is and how to authenticate.
        on_secret: Is told of every token fetched.

    Raises:
        CertreconError: A run could not work with it; the message says what is wrong, in which field.
    """
    redactor = Redactor(endpoint.secrets)
    auth: Auth
    if isinstance(endpoint.token, AccessToken):
        advice, auth = probe_words.FOURHSE_BY_ACCESS_TOKEN, StaticAccessToken(endpoint.token)
    else:
        grant = password_grant(endpoint.token)
        advice, auth = probe_words.FOURHSE, BearerToken(grant, redactor, on_secret=on_secret)
    async with Wire(connections=1, timeouts=PATIENCE) as wire:
        probe = Probe(advice, wire, redactor)
        credential = await probe.sign_in(auth)
        asked = _index(endpoint.base_url, "project", {"per-page": PROJECTS})
        answer = probe.require(asked, await probe.send(asked, credential), "projects")
        projects = _projects(answer.body)
        seen, active = _seen(projects, _total(answer, len(projects)))
        if active is None:
            return seen
        for entity, name in RIGHTS.items():
            key = "project_id" if entity == "person" else "tenant_id"
            asked = _index(endpoint.base_url, entity, {"filter": {key: active.project_id}, "per-page": 1})
            probe.require(asked, await probe.send(asked, credential), name)
    return f"{seen}. In the first active one {', '.join(RIGHTS.values())} can be read"


def _index(base_url: str, entity: str, asked: dict[str, object]) -> Request:
    body = msgspec.json.encode({**asked, "page": 1})
    headers = {"Content-Type": "application/json"}
    return Request("POST", f"{base_url}/v2/{entity}/index", body=body, headers=headers, expect=Expect.ARRAY)


def _projects(body: bytes) -> list[Project]:
    fields = ("project_id", "name", "status", "project_type")
    rows = [[text_of_raw(row.get(name)) for name in fields] for row in raw_rows(body, "4HSE's list of projects")]
    return [Project(project_id or "", *rest) for project_id, *rest in rows]


def _total(answer: Answer, at_least: int) -> int:
    text = answer.headers.get("X-Pagination-Total-Count", "").strip()
    return max(at_least, int(text)) if text.isascii() and text.isdigit() and len(text) <= 12 else at_least


def _seen(projects: list[Project], total: int) -> tuple[str, Project | None]:
    """Return how many projects are visible and active, in words, and the first active one.

    Raises:
        CredentialsError: None is visible.
        ConnectionSettingsError: None is active: a run would end with "no tenant".
    """
    if not projects:
        raise CredentialsError(
            "4HSE accepts the credentials, but no project is visible to this user. "
            "Ask an administrator of 4HSE to put the user into a group of each project; read-only is enough"
        )
    active = [project for project in projects if project.operational]
    visible = f"{total:,} project{'s' if total != 1 else ''} visible"
    if total > len(projects):
        return f"{visible}; of the first {len(projects)} {len(active)} active", active[0] if active else None
    if not active:
        raise ConnectionSettingsError(
            f"{visible}, none of them active. A run takes active projects that are not templates"
        )
    return f"{visible}, {len(active):,} active", active[0]


async def probe_ditio(endpoint: DitioEndpoint, *, on_secret: Tell | None = None) -> str:
    """Return what a Ditio connection sees, in words; the arguments are those of `probe_fourhse`.

    Raises:
        CertreconError: A run could not work with it; the message says what is wrong, in which field.
    """
    redactor = Redactor(endpoint.secrets)
    async with Wire(connections=1, timeouts=PATIENCE) as wire:
        probe = Probe(probe_words.DITIO, wire, redactor)
        credential = await probe.sign_in(BearerToken(client_credentials(endpoint), redactor, on_secret=on_secret))
        asked, older = (
            Request("GET", endpoint.base_url + EMPLOYEE_PATHS[source], max_body=MAX_EMPLOYEES_BODY)
            for source in (EmployeeSource.EMPLOYEES_V5, EmployeeSource.USERS_V4)
        )
        result = await probe.send(asked, credential)
        note = ""
        if isinstance(result, Answer) and result.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
            users = await probe.send(older, credential)
            if is_success(users):
                result, note = users, " through users v4 only: set ditio.employee_source to users_v4"
        answer = probe.require(asked, result, "employees")
    rows, more = employees_part(answer.body)
    if not rows:
        raise CredentialsError("Ditio accepts the credentials, but no employee is visible to this client")
    counted = f"{len(rows):,} employee{'s' if len(rows) != 1 else ''}{' and more' if more else ''} readable"
    return f"{counted}{note}. Whether certificates may be sent was not tried: a test never writes"
