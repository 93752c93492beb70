"""A small 4HSE of our own making that can be unruly: indexes with page headers, and views."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from certrecon.api.delays import RetryPolicy
from certrecon.api.endpoint import AccessToken, FourHseEndpoint
from certrecon.api.fourhse import FourHseClient

QUICK = RetryPolicy(attempts=3, rate_limited_attempts=4, base=0.001, cap=0.004, total=10.0)
IDS = {"certificate": "certificate_id", "certificate-action": "certificate_action_id", "person": "person_id"}
TENANTS = {"certificate": "tenant_id", "certificate-action": "tenant_id", "person": "project_id"}

Row = dict[str, Any]


@dataclass
class Asked:
    """One index request and the answer that is about to be given; a test may change it.

    Attributes:
        number: How many index requests of the entity came before, this one included.
    """

    entity: str
    number: int
    page: int
    body: dict[str, Any]
    rows: list[Any]
    headers: dict[str, str]
    raw: bytes | None = None


@dataclass
class FourHse:
    """The rows by entity and what happens on the way.

    Attributes:
        max_per_page: To what the server clamps `per-page`.
        before: Is called with each answer before it goes out.
        hidden: Certificates that a view shows and no index does.
    """

    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in IDS})
    max_per_page: int = 100
    before: Callable[[Asked], None] = lambda _asked: None
    hidden: list[Row] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    viewed: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def certificates(self, *ids: Any, tenant: str = "t", **more: Any) -> None:
        for one in ids:
            row = {
                "certificate_id": one,
                "tenant_id": tenant,
                "name": f"name {one}",
                "action_type": "TRAINING",
            }
            self.rows["certificate"].append({**row, **more})

    def links(self, *ids: Any, tenant: str = "t", **more: Any) -> None:
        for one in ids:
            row = {
                "certificate_action_id": f"l{one}",
                "certificate_id": one,
                "tenant_id": tenant,
                "action_name": f"action {one}",
                "action_code": f"code {one}",
                "action_type": "TRAINING",
            }
            self.rows["certificate-action"].append({**row, **more})

    def persons(self, *ids: Any, tenant: str = "t", **more: Any) -> None:
        for one in ids:
            self.rows["person"].append({"person_id": one, "project_id": tenant, "code": f"n{one}", **more})

    async def index(self, request: web.Request) -> web.Response:
        entity = request.match_info["entity"]
        body = await request.json()
        self.requests[entity] += 1
        self.bodies.append(body)
        wanted = body["filter"][TENANTS[entity]]
        rows = [row for row in self.rows[entity] if row.get(TENANTS[entity], wanted) in {wanted, None, "leak"}]
        per_page = min(body["per-page"], self.max_per_page)
        pages = -(-len(rows) // per_page)
        page = max(min(body["page"], pages), 1)
        headers = {
            "X-Pagination-Current-Page": str(page),
            "X-Pagination-Page-Count": str(pages),
            "X-Pagination-Per-Page": str(per_page),
            "X-Pagination-Total-Count": str(len(rows)),
        }
        asked = Asked(
            entity,
            self.requests[entity],
            body["page"],
            body,
            rows[(page - 1) * per_page : page * per_page],
            headers,
        )
        self.before(asked)
        raw = asked.raw if asked.raw is not None else json.dumps(asked.rows).encode()
        return web.Response(body=raw, headers=asked.headers)

    async def view(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        self.viewed.append(wanted)
        for row in [*self.rows["certificate"], *self.hidden]:
            if str(row.get("certificate_id")) == wanted:
                return web.json_response(row)
        return web.json_response({"name": "Not Found", "status": 404}, status=404)


@asynccontextmanager
async def serving(fourhse: FourHse) -> AsyncIterator[FourHseClient]:
    """Run it in the current loop and give a client for it."""
    app = web.Application()
    app.router.add_post("/v2/{entity}/index", fourhse.index)
    app.router.add_get("/v2/certificate/view/{id}", fourhse.view)
    server = TestServer(app)
    await server.start_server()
    try:
        endpoint = FourHseEndpoint(str(server.make_url("")), AccessToken("token"))
        async with FourHseClient(endpoint, retry=QUICK) as client:
            yield client
    finally:
        await server.close()
