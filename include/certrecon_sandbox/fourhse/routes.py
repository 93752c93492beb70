"""The operations: index and view of all entities, writes of certificates and their links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from certrecon_sandbox.bodies import as_flag, read_body, read_query
from certrecon_sandbox.fourhse import relations
from certrecon_sandbox.fourhse.describe import (
    CODE_PARAMETERS,
    FORCE_PARAMETER,
    Json,
    id_parameter,
    index_body,
    index_parameters,
    write_body,
)
from certrecon_sandbox.fourhse.entities import CERTIFICATE, CERTIFICATE_ACTION, PERSON, Entity
from certrecon_sandbox.fourhse.errors import YiiError, not_found
from certrecon_sandbox.fourhse.listing import JSON_TYPE, listing_response, parse_listing
from certrecon_sandbox.fourhse.validation import (
    CERTIFICATE_ACTION_FIELDS,
    CERTIFICATE_FIELDS,
    Field,
    clean_values,
)
from certrecon_sandbox.journal import Asked
from certrecon_sandbox.state import sandbox_of
from certrecon_sandbox.table import Row, Selection, is_current
from certrecon_sandbox.world import World

_CHILD_KINDS = ("CertificateAction", "EntityAttachment")


def add_index(router: APIRouter, entity: Entity) -> None:
    """Add `POST` and `GET /v2/<entity>/index`."""

    async def index(request: Request) -> Response:
        asked = read_query(request)
        if request.method == "POST":
            asked |= await read_body(request)
        sandbox = sandbox_of(request)
        sandbox.journal.lists.append(Asked(entity.name, asked))
        listing = parse_listing(entity, asked, sandbox.options.max_page_size)
        return listing_response(entity.table(sandbox.world), listing)

    path, summary = f"/v2/{entity.name}/index", f"List {entity.title} rows"
    described = {"requestBody": index_body(entity)}
    router.add_api_route(path, index, methods=["POST"], summary=summary, openapi_extra=described)
    parameters = {"parameters": index_parameters(entity)}
    router.add_api_route(path, index, methods=["GET"], summary=summary, openapi_extra=parameters)


def add_view(router: APIRouter, entity: Entity) -> None:
    """Add `GET /v2/<entity>/view/{id}` and its form with the id in the query."""

    async def view(request: Request) -> Response:
        table = entity.table(sandbox_of(request).world)
        body = table.encode_one(_row(request, entity)[table.key])
        return Response(body, media_type=JSON_TYPE)

    extra = {"parameters": [*id_parameter(), *(CODE_PARAMETERS if entity is PERSON else ())]}
    _add_both(router, entity, "view", view, "GET", extra)


@dataclass(frozen=True)
class Writes:
    """How one entity is written."""

    entity: Entity
    fields: tuple[Field, ...]
    create: Callable[[World, Row], Row]
    update: Callable[[World, str, Row], Row]
    delete: Callable[[World, str], object]
    children: Callable[[World, str], list[dict[str, str]]]


CERTIFICATE_WRITES = Writes(
    entity=CERTIFICATE,
    fields=CERTIFICATE_FIELDS,
    create=relations.create_certificate,
    update=relations.update_certificate,
    delete=relations.delete_certificate,
    children=lambda world, identity: [
        {
            "entity": "CertificateAction",
            "id": link["certificate_action_id"],
            "name": link["action_name"],
        }
        for link in world.links.where("certificate_id", identity)
    ],
)

CERTIFICATE_ACTION_WRITES = Writes(
    entity=CERTIFICATE_ACTION,
    fields=CERTIFICATE_ACTION_FIELDS,
    create=relations.create_link,
    update=relations.update_link,
    delete=lambda world, identity: world.links.remove(identity),
    children=lambda _world, _identity: [],
)


def add_writes(router: APIRouter, writes: Writes) -> None:
    """Add create, update and delete of one entity."""
    entity = writes.entity

    async def create(request: Request) -> Response:
        values = clean_values(writes.fields, await read_body(request), partial=False)
        world = sandbox_of(request).world
        relations.require_writable(world, values["tenant_id"])
        return JSONResponse(writes.create(world, values), 201)

    async def update(request: Request) -> Response:
        row = _row(request, entity)
        values = clean_values(writes.fields, await read_body(request), partial=True)
        world = sandbox_of(request).world
        relations.require_writable(world, values.get("tenant_id") or row["tenant_id"])
        identity = row[entity.table(world).key]
        return JSONResponse(writes.update(world, identity, values))

    async def delete(request: Request) -> Response:
        row = _row(request, entity)
        sandbox = sandbox_of(request)
        relations.require_writable(sandbox.world, row["tenant_id"])
        identity = row[entity.table(sandbox.world).key]
        if not as_flag(request.query_params.get("force")):
            preview = _preview(writes.children(sandbox.world, identity), sandbox.options.fourhse_preview_shape)
            return JSONResponse(preview, sandbox.options.fourhse_preview_status)
        writes.delete(sandbox.world, identity)
        return Response(status_code=204)

    body = {"requestBody": write_body(writes.fields)}
    router.add_api_route(f"/v2/{entity.name}/create", create, methods=["POST"], status_code=201, openapi_extra=body)
    _add_both(router, entity, "update", update, "PUT", body | {"parameters": id_parameter()})
    forced = {"parameters": [*id_parameter(), FORCE_PARAMETER]}
    _add_both(router, entity, "delete", delete, "DELETE", forced)


def _preview(children: list[dict[str, str]], shape: str) -> object:
    """Return the children in one list, or by kind, kinds of which there is none included."""
    if shape == "list":
        return children
    return {kind: [child for child in children if child["entity"] == kind] for kind in _CHILD_KINDS}


def _add_both(
    router: APIRouter,
    entity: Entity,
    operation: str,
    endpoint: Callable[..., object],
    method: str,
    extra: Json,
) -> None:
    path = f"/v2/{entity.name}/{operation}"
    router.add_api_route(path, endpoint, methods=[method], openapi_extra=extra)
    in_path = [{**item, "in": "path", "required": True} for item in id_parameter()]
    others = [item for item in extra["parameters"] if item["name"] != "id"]
    described = extra | {"parameters": [*in_path, *others]}
    router.add_api_route(path + "/{id}", endpoint, methods=[method], openapi_extra=described)


def _row(request: Request, entity: Entity) -> Row:
    """Find the row that a request is about, by id or (persons) by code and project.

    Raises:
        YiiError: 400 without an id, 404 when there is no such row.
    """
    table = entity.table(sandbox_of(request).world)
    identity = request.path_params.get("id") or request.query_params.get("id")
    if identity:
        row = table.get(identity)
        if row is None:
            raise not_found(identity)
        return row
    code, project = request.query_params.get("code"), request.query_params.get("project_id")
    if entity is not PERSON or not code or not project:
        raise YiiError(400, "Missing required parameters: id")
    keys = table.select(Selection(equal=(("code", code), ("project_id", project))))
    found = [table.rows[key] for key in keys]
    if not found:
        raise not_found(code)
    return next((row for row in found if is_current(row)), found[0])
