"""Both vendors for one oracle world over real HTTP, written from the vendors' documents and from nothing of ours."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.oracle.world import Row, World

IDS = {"certificate": "certificate_id", "certificate-action": "certificate_action_id", "person": "person_id"}
TENANTS = {"certificate": "tenant_id", "certificate-action": "tenant_id", "person": "project_id"}
ROWS = {"certificate": "certificates", "certificate-action": "links", "person": "persons"}
USER = {"grant_type": "password", "client_id": "hse-client", "username": "hse-user", "password": "hse-password"}
CLIENT = {"grant_type": "client_credentials", "client_id": "ditio-client", "client_secret": "ditio-secret"}
FOURHSE_TOKEN, DITIO_TOKEN = "fourhse-token", "ditio-token"
REQUIRED = ("employeeNumber", "certificateType", "issuedDateTime", "validUntilDateTime")


@dataclass(frozen=True)
class Fault:
    """What Ditio does with one POST instead of answering it as it should.

    Attributes:
        status: What it answers; None = it breaks the connection.
        saves: Whether it has saved the rows nevertheless.
        body: What it says.
        headers: Further headers.
    """

    status: int | None = None
    saves: bool = False
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Post:
    """One POST of certificates as it came, and what was answered."""

    rows: tuple[Row, ...]
    status: int | None


class WorldServer:
    """4HSE and Ditio in a thread of this process; `show` says which world they speak of.

    Attributes:
        posts: The POSTs of certificates since `show`.
        saved: Ditio's certificates by (employee number, certificate type).
        asked: How many requests each address has had since `show`.
        faults: What Ditio does with the next POSTs.
        refuses: Says why Ditio refuses a row; None = it does not.
        sandbox: Whether Ditio says that it is the sandbox.
        max_per_page: To what 4HSE clamps `per-page`.
    """

    def __init__(self) -> None:
        self.show(World({}, {}, {}, [], [], {}, None))  # type: ignore[arg-type]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="world", daemon=True)
        self._runner: web.AppRunner | None = None
        self.url = ""

    def show(self, world: World, *, sandbox: bool = True) -> None:
        """Speak of another world, and forget what was asked and what Ditio knew."""
        self.world = world
        self.posts: list[Post] = []
        self.saved: dict[tuple[str, str], Row] = {}
        self.asked: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self.refuses: Callable[[Row], str | None] = lambda _row: None
        self.sandbox = sandbox
        self.max_per_page = 2

    @property
    def received(self) -> list[Row]:
        """All rows that Ditio was sent, in order."""
        return [row for post in self.posts for row in post.rows]

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**26, middlewares=[self._counted])
        app.router.add_post("/hse/token", self._fourhse_token)
        app.router.add_post("/hse/v2/project/index", self._projects)
        app.router.add_post("/hse/v2/{entity}/index", self._index)
        app.router.add_get("/hse/v2/certificate/view/{id}", self._view)
        app.router.add_post("/ditio/token", self._ditio_token)
        app.router.add_get("/ditio/core/api/v5/integration/employees", self._employees)
        app.router.add_get("/ditio/core/api/v4/integration/users", self._employees)
        app.router.add_post("/ditio/core/api/v4/integration/certificates", self._certificates)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    @web.middleware
    async def _counted(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked[request.path] += 1
        answer: web.StreamResponse = await handler(request)
        if self.sandbox and request.path.startswith("/ditio") and not answer.prepared:
            answer.headers["X-Certrecon-Sandbox"] = "1"
        return answer

    # --- 4HSE ----------------------------------------------------------------------------------------

    async def _fourhse_token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        if {name: form.get(name) for name in USER} != USER:
            return web.json_response({"error": "invalid_grant"}, status=401)
        return web.json_response({"access_token": FOURHSE_TOKEN, "expires_in": 300, "token_type": "Bearer"})

    async def _projects(self, request: web.Request) -> web.Response:
        _require(request, FOURHSE_TOKEN)
        everything = [
            {"project_id": tenant, "name": tenant, "status": "active", "project_type": "safety"}
            for tenant in self.world.certificates
        ]
        return self._page(await request.json(), self.world.projects or everything, "project_id")

    async def _index(self, request: web.Request) -> web.Response:
        _require(request, FOURHSE_TOKEN)
        entity, body = request.match_info["entity"], await request.json()
        tenant = body["filter"][TENANTS[entity]]
        rows = getattr(self.world, ROWS[entity]).get(tenant, [])
        if entity == "person" and not body.get("history"):
            rows = [row for row in rows if row.get("owned_active") is not False]
        return self._page(body, rows, IDS[entity])

    def _page(self, asked: Row, rows: list[Row], key: str) -> web.Response:
        """Answer one page; a row that comes twice counts once, as when rows shift while they are read."""
        size = min(asked["per-page"], self.max_per_page)
        pages = -(-len(rows) // size)
        page = max(min(asked["page"], pages), 1)
        headers = {
            "X-Pagination-Total-Count": str(len({str(row[key]) for row in rows})),
            "X-Pagination-Page-Count": str(pages),
            "X-Pagination-Current-Page": str(page),
            "X-Pagination-Per-Page": str(size),
        }
        return web.json_response(rows[(page - 1) * size : page * size], headers=headers)

    async def _view(self, request: web.Request) -> web.Response:
        _require(request, FOURHSE_TOKEN)
        wanted = request.match_info["id"]
        for row in (row for rows in self.world.certificates.values() for row in rows):
            if row["certificate_id"] == wanted:
                return web.json_response(row)
        if wanted in self.world.lookups:
            return web.json_response({"certificate_id": wanted, "tenant_id": self.world.lookups[wanted]})
        return web.json_response({"name": "Not Found", "message": "not found", "status": 404}, status=404)

    # --- Ditio ---------------------------------------------------------------------------------------

    async def _ditio_token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        if {name: form.get(name) for name in CLIENT} != CLIENT or form.get("scope") != "ditioapiv3":
            return web.json_response({"error": "invalid_client"}, status=400)
        return web.json_response({"access_token": DITIO_TOKEN, "expires_in": 300, "token_type": "Bearer"})

    async def _employees(self, request: web.Request) -> web.Response:
        _require(request, DITIO_TOKEN)
        return web.json_response(self.world.employees)

    async def _certificates(self, request: web.Request) -> web.Response:
        _require(request, DITIO_TOKEN)
        rows = await request.json()
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            return self._faulty(request, rows, fault)
        for index, row in enumerate(rows):
            problem = self._problem(row) or self.refuses(row)
            if problem:
                self.posts.append(Post(tuple(rows), 400))
                said = {"code": "ArgumentInvalid", "message": problem, "target": f"[{index}]"}
                return web.json_response(said, status=400)
            self.saved[row["employeeNumber"], row["certificateType"]] = row
        self.posts.append(Post(tuple(rows), 201))
        return web.Response(status=201)

    def _faulty(self, request: web.Request, rows: list[Row], fault: Fault) -> web.Response:
        if fault.saves:
            self.saved |= {(row["employeeNumber"], row["certificateType"]): row for row in rows}
        self.posts.append(Post(tuple(rows), fault.status))
        if fault.status is None:
            assert request.transport is not None
            request.transport.abort()
        body = json.dumps(fault.body).encode() if fault.body is not None else b""
        return web.Response(status=fault.status or 500, body=body, headers=fault.headers)

    def _problem(self, row: Row) -> str | None:
        for name in REQUIRED:
            if not isinstance(row.get(name), str) or not row[name]:
                return f"{name} is required."
        if row["employeeNumber"] not in {_text(_lowered(one).get("employeenumber")) for one in self.world.employees}:
            return f"Employee {row['employeeNumber']} was not found."
        if not row["issuedDateTime"] < row["validUntilDateTime"]:
            return "issuedDateTime must be before validUntilDateTime."
        return None


def _require(request: web.Request, token: str) -> None:
    if request.headers.get("Authorization") != f"Bearer {token}":
        raise web.HTTPUnauthorized(text="no token")


def _lowered(row: Row) -> Row:
    return {name.lower(): value for name, value in row.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
