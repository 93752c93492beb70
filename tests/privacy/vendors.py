"""Both vendors over real HTTP, with credentials that are canaries, and with answers that a test can put in between."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from certrecon.api.endpoint import AccessToken, DitioEndpoint, FourHseEndpoint, PasswordGrant
from tests.contract.world_server import CLIENT, DITIO_TOKEN, FOURHSE_TOKEN, USER, WorldServer
from tests.oracle.world import World
from tests.privacy.canaries import Aviary, Kind
from tests.privacy.planted import BIRTH, REFUSED, moved_certificate

FOURHSE = ("fourhse.token", "fourhse.project", "fourhse.certificate", "fourhse.certificate-action", "fourhse.person",
           "fourhse.view")  # fmt: skip
DITIO = ("ditio.token", "ditio.employees", "ditio.certificates")


@dataclass(frozen=True)
class Echo:
    """A request as a proxy may repeat it in an error.

    Attributes:
        birds: Where further canaries come from.
        where: Which answer it is, for naming them.
        headers: The request's headers, a line each.
        address: Its address with its query.
        body: Its body.
        secrets: Every credential that the endpoint has seen.
    """

    birds: Aviary
    where: str
    headers: str
    address: str
    body: str
    secrets: tuple[str, ...]

    def medical(self, what: str) -> str:
        """Return medical data to put into the answer; Ditio is never sent any, so its upsert can repeat none."""
        if self.where == "ditio.certificates":
            return "nothing medical"
        return self.birds.plant(Kind.MEDICAL, f"{what} of {self.where}")

    def person(self, what: str) -> str:
        """Return something of a person that no rule uses."""
        return self.birds.plant(Kind.PERSON, f"{what} of {self.where}", "{core}@clinic.example")

    def birth_date(self) -> str:
        """Return a birth date to put into the answer."""
        return self.birds.literal(Kind.BIRTH_DATE, "birth date", *BIRTH)


Interference = Callable[[Echo], web.StreamResponse | None]


class CanaryServer(WorldServer):
    """The vendors of a planted world; every credential is a canary.

    Attributes:
        interferences: By endpoint, what is answered instead of the truth.
        interfered: How many requests got such an answer.
    """

    def __init__(self, birds: Aviary) -> None:
        """Plant the credentials."""
        super().__init__()
        self.birds = birds
        self.interferences: dict[str, Interference] = {}
        self.interfered = 0
        self.max_per_page = 50
        secret = birds.plant
        self.password = secret(Kind.SECRET, "4HSE password")
        self.client_secret = secret(Kind.SECRET, "4HSE client secret")
        self.ditio_secret = secret(Kind.SECRET, "Ditio client secret")
        self.fourhse_token = birds.token("4HSE access token")
        self.refresh_token = birds.token("4HSE refresh token")
        self.ditio_token = birds.token("Ditio access token")
        self.api_key = birds.token("4HSE access-token query key")
        self.expires_in: Any = 300

    def secrets_of(self, endpoint: str, *, by_key: bool) -> tuple[str, ...]:
        """Return the credentials that an endpoint has seen when it answers; a vendor knows none of the other's."""
        if endpoint.startswith("ditio"):
            sent, given = (self.ditio_secret,), (self.ditio_token,)
        elif by_key:
            return (self.api_key,)
        else:
            sent, given = (self.password, self.client_secret), (self.fourhse_token, self.refresh_token)
        # What a token endpoint would have given can only be known by what it is called.
        return (*sent, *(f"access_token={one}" for one in given)) if endpoint.endswith("token") else (*sent, *given)

    def speak_of(self, world: World) -> None:
        """Speak of a world; Ditio refuses one employee's rows, repeating the row and the token."""
        self.show(world)
        self.max_per_page = 50
        self.interferences = {}
        self.interfered = 0
        self.refuses = self._refusal

    def _refusal(self, row: dict[str, Any]) -> str | None:
        if row["employeeNumber"] != REFUSED:
            return None
        address = self.birds.plant(Kind.PERSON, "e-mail in a refusal", "{core}@work.example")
        return f"Refused {row} of {address}: Authorization: Bearer {self.ditio_token} secret {self.ditio_secret}"

    # --- endpoints ---------------------------------------------------------------------------------------

    def fourhse_endpoint(self, *, static: bool = False) -> FourHseEndpoint:
        """Return where 4HSE is; `static` uses the access-token query key."""
        grant = PasswordGrant(
            f"{self.url}/hse/token", USER["client_id"], USER["username"], self.password, self.client_secret
        )
        return FourHseEndpoint(f"{self.url}/hse", AccessToken(self.api_key) if static else grant)

    def ditio_endpoint(self) -> DitioEndpoint:
        """Return where Ditio is."""
        return DitioEndpoint(
            f"{self.url}/ditio/core", f"{self.url}/ditio/token", CLIENT["client_id"], self.ditio_secret
        )

    # --- the other side ----------------------------------------------------------------------------------

    @web.middleware
    async def _counted(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked[request.path] += 1
        interference = self.interferences.get(endpoint_of(request))
        if interference is not None:
            self.interfered += 1
            answer = interference(await self._echo(request))
            if answer is None:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            return answer
        real: web.StreamResponse = await handler(self._translated(request))
        if request.path.startswith("/ditio"):
            real.headers["X-Certrecon-Sandbox"] = "1"
        return real

    async def _echo(self, request: web.Request) -> Echo:
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        body = (await request.read()).decode()
        endpoint, by_key = endpoint_of(request), "access-token" in request.query
        return Echo(self.birds, endpoint, headers, request.path_qs, body, self.secrets_of(endpoint, by_key=by_key))

    def _translated(self, request: web.Request) -> web.Request:
        """Return the request with the token that the server below knows, if it came with the right one."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.query.get("access-token")
        known = {
            self.fourhse_token: FOURHSE_TOKEN, self.api_key: FOURHSE_TOKEN, self.ditio_token: DITIO_TOKEN,
        }.get(given or "")  # fmt: skip
        if known is None:
            return request
        return request.clone(headers={**request.headers, "Authorization": f"Bearer {known}"})

    def _granted(self, token: str, where: str, **more: Any) -> web.Response:
        extra = {"id_token": self.birds.token(f"id_token of {where}"), "scope": self.birds.token(f"scope of {where}")}
        grant = {"access_token": token, "expires_in": self.expires_in, "token_type": "Bearer"}
        return web.json_response(grant | extra | more)

    async def _fourhse_token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        by_password = form.get("password") == self.password and form.get("username") == USER["username"]
        by_refresh = form.get("refresh_token") == self.refresh_token
        if not (by_password or by_refresh) or form.get("client_secret") != self.client_secret:
            return web.json_response({"error": "invalid_grant"}, status=401)
        return self._granted(self.fourhse_token, "4HSE", refresh_token=self.refresh_token)

    async def _ditio_token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        if form.get("client_secret") != self.ditio_secret:
            return web.json_response({"error": "invalid_client"}, status=400)
        return self._granted(self.ditio_token, "Ditio")

    async def _view(self, request: web.Request) -> web.Response:
        if request.match_info["id"] == "moved":
            return web.json_response(moved_certificate(self.birds))
        return await super()._view(request)


def endpoint_of(request: web.Request) -> str:
    """Return the name of the endpoint that a request is for."""
    _, vendor, *rest = request.path.split("/")
    if vendor == "hse":
        return f"fourhse.{'view' if 'view' in rest else rest[1] if rest[0] == 'v2' else rest[0]}"
    return f"ditio.{rest[-1].replace('users', 'employees')}"


def basic(login: str, password: str) -> str:
    """Return a Basic header's value."""
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()
