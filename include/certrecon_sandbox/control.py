"""The control API: look at the world, change it, reset it, end tokens. Loopback only.

| call | what it does |
|---|---|
| `GET /control/world` | the spec, and how many rows each table has |
| `GET /control/world/{table}` | the rows of a table as stored; `upserts` are Ditio's certificates |
| `GET /control/requests` | counters an endpoint: requests, statuses, most at once, header names |
| `GET /control/writes` | every writing request with its body and status; `?endpoint=` limits it |
| `POST /control/mutate` | `{"operations": [{"do": "add"/"change"/"delete"/"raw", "table", ...}]}` |
| `POST /control/change` | `{"share": 0.01, "seed": 1}`: what a day changes in that share of the rows |
| `POST /control/scenario/{name}` | a change that needs history, one of `scenarios.py` |
| `POST /control/reset` | `{"what": ["world", "journal", "tokens", "options", "faults"]}`; without it the first two |
| `POST /control/tokens/expire` | `{"vendor": "4hse"/"ditio"}`; without it both |
| `GET`, `POST /control/options` | see and set `SandboxOptions` |
| `GET /control/faults` | the kinds of faults there are, and those switched on with their counts |
| `POST /control/faults` | `{"endpoint": "4hse.certificate.index", "kind": "status", "status": 502, "times": 3}` |
| `DELETE /control/faults`, `/control/faults/{number}` | switch all faults off, or one |

The OpenAPI description of these calls, with a schema of every fault, is at `/openapi.json`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from certrecon_sandbox.bodies import read_body
from certrecon_sandbox.change import change_share
from certrecon_sandbox.faults.catalogue import KINDS
from certrecon_sandbox.faults.fault import describe
from certrecon_sandbox.faults.wanted import fault_schema, read_fault
from certrecon_sandbox.options import OptionError, SandboxOptions
from certrecon_sandbox.scenarios import SCENARIOS
from certrecon_sandbox.state import Sandbox, sandbox_of
from certrecon_sandbox.table import Table
from certrecon_sandbox.world import World

_PARTS = ("world", "journal", "tokens", "options", "faults")


def control_router() -> APIRouter:
    """Build the control API's routes."""
    router = APIRouter(prefix="/control", tags=["control"])
    for path, endpoint, method in _ROUTES:
        summary = (endpoint.__doc__ or "").strip().partition(".")[0]
        described = _described(path, _BODIES.get(endpoint))
        router.add_api_route(path, endpoint, methods=[method], summary=summary, openapi_extra=described)
    return router


def _described(path: str, schema: dict[str, Any] | None) -> dict[str, Any]:
    """Return what OpenAPI says of a call's parameters and body."""
    names = re.findall(r"{(\w+)}", path)
    said: dict[str, Any] = {
        "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    }
    if schema is not None:
        said["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return said


async def show_world(request: Request) -> Response:
    """Show the spec and the row counts."""
    world = sandbox_of(request).world
    counts = {name: len(table) for name, table in world.tables().items()}
    return _json({"spec": world.spec, "rows": counts | {"upserts": len(world.upserts)}})


async def show_table(request: Request) -> Response:
    """Show the rows of one table."""
    world, name = sandbox_of(request).world, request.path_params["table"]
    if name == "upserts":
        return _json(list(world.upserts.values()))
    table = _table(world, name)
    return Response(table.encode(table.rows), media_type="application/json")


async def show_requests(request: Request) -> Response:
    """Show the counters."""
    counts = sandbox_of(request).journal.endpoints
    return _json({name: count.as_dict() for name, count in sorted(counts.items())})


async def show_writes(request: Request) -> Response:
    """Show the writing requests."""
    wanted = request.query_params.get("endpoint")
    writes = sandbox_of(request).journal.writes
    return _json(
        [{**vars(write), "body": _readable(write.body)} for write in writes if wanted in (None, write.endpoint)]
    )


async def mutate(request: Request) -> Response:
    """Change rows without any check; a wrong operation stops where it is."""
    world = sandbox_of(request).world
    operations = (await read_body(request)).get("operations")
    if not isinstance(operations, list):
        raise OptionError("operations must be a list")
    for operation in operations:
        _apply(world, operation)
    return _json({"applied": len(operations)})


async def change(request: Request) -> Response:
    """Change a share of the certificates the way a day does."""
    asked = await read_body(request)
    share, seed = asked.get("share", 0.01), asked.get("seed", 1)
    if not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise OptionError("share must be a number from 0 to 1")
    return _json(change_share(sandbox_of(request).world, float(share), int(seed)))


async def scenario(request: Request) -> Response:
    """Play a named scenario."""
    name = request.path_params["name"]
    if name not in SCENARIOS:
        raise OptionError(f"unknown scenario {name!r}; there are {', '.join(SCENARIOS)}")
    return _json(SCENARIOS[name](sandbox_of(request).world, await read_body(request)))


async def reset(request: Request) -> Response:
    """Go back to the start."""
    parts = (await read_body(request)).get("what", ["world", "journal"])
    if not isinstance(parts, list) or any(part not in _PARTS for part in parts):
        raise OptionError(f"what must be a list of {', '.join(_PARTS)}")
    _reset(sandbox_of(request), parts)
    return _json({"reset": parts})


async def expire_tokens(request: Request) -> Response:
    """End all tokens at once; refresh tokens too."""
    vendor = (await read_body(request)).get("vendor")
    sandbox = sandbox_of(request)
    stores = {"4hse": sandbox.fourhse_tokens, "ditio": sandbox.ditio_tokens}
    if vendor not in (None, *stores):
        raise OptionError("vendor must be 4hse or ditio")
    chosen = {name: store for name, store in stores.items() if vendor in (None, name)}
    return _json({name: store.expire_all() for name, store in chosen.items()})


async def show_options(request: Request) -> Response:
    """Show the options."""
    return _json(sandbox_of(request).options.as_dict())


async def set_options(request: Request) -> Response:
    """Set options."""
    sandbox_of(request).options.change(await read_body(request))
    return await show_options(request)


async def show_faults(request: Request) -> Response:
    """Show the kinds of faults, and those that are switched on."""
    switched = [one.as_dict() for one in sandbox_of(request).faults.switched]
    return _json({"kinds": [describe(kind) for kind in KINDS.values()], "switched": switched})


async def add_fault(request: Request) -> Response:
    """Switch a fault on."""
    fault = sandbox_of(request).faults.add(read_fault(await read_body(request)))
    return _json(fault.as_dict())


async def remove_faults(request: Request) -> Response:
    """Switch all faults off, or the one with a number."""
    faults, number = sandbox_of(request).faults, request.path_params.get("number")
    if number is None:
        faults.clear()
    else:
        faults.remove(int(number) if number.isdecimal() else 0)
    return _json({"switched": len(faults.switched)})


def _apply(world: World, operation: Any) -> None:
    if not isinstance(operation, dict):
        raise OptionError("an operation must be an object")
    table = _table(world, operation.get("table"))
    action, identity = operation.get("do"), operation.get("id")
    if action == "add":
        row = operation.get("row")
        if not isinstance(row, dict) or not isinstance(row.get(table.key), str):
            raise OptionError(f"add needs a row with {table.key}")
        table.add(row)
    elif action not in ("change", "delete", "raw") or table.get(str(identity)) is None:
        raise OptionError(f"cannot {action!r} {identity!r} in {operation.get('table')!r}")
    elif action == "raw":
        table.serve_raw(str(identity), str(operation.get("json", "")).encode())
    elif action == "change":
        table.change(str(identity), operation.get("values") or {}, operation.get("drop") or ())
    else:
        table.remove(str(identity))


def _reset(sandbox: Sandbox, parts: list[str]) -> None:
    if "world" in parts:
        sandbox.world = sandbox.rebuild()
    if "journal" in parts:
        sandbox.journal.clear()
    if "tokens" in parts:
        sandbox.fourhse_tokens.expire_all()
        sandbox.ditio_tokens.expire_all()
    if "options" in parts:
        sandbox.options.change(SandboxOptions().as_dict())
    if "faults" in parts:
        sandbox.faults.clear()


def _table(world: World, name: object) -> Table:
    table = world.tables().get(name) if isinstance(name, str) else None
    if table is None:
        raise OptionError(f"unknown table {name!r}; there are {', '.join(world.tables())}")
    return table


def _readable(body: bytearray) -> Any:
    """Show a body as JSON where it is, else as text."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return body.decode("utf-8", "replace")


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


_ROUTES = (
    ("/world", show_world, "GET"),
    ("/world/{table}", show_table, "GET"),
    ("/requests", show_requests, "GET"),
    ("/writes", show_writes, "GET"),
    ("/mutate", mutate, "POST"),
    ("/change", change, "POST"),
    ("/scenario/{name}", scenario, "POST"),
    ("/reset", reset, "POST"),
    ("/tokens/expire", expire_tokens, "POST"),
    ("/options", show_options, "GET"),
    ("/options", set_options, "POST"),
    ("/faults", show_faults, "GET"),
    ("/faults", add_fault, "POST"),
    ("/faults", remove_faults, "DELETE"),
    ("/faults/{number}", remove_faults, "DELETE"),
)
_OBJECT: dict[str, Any] = {"type": "object"}
_NAMES = {"type": "array", "items": {"enum": list(_PARTS)}}
_BODIES: dict[Any, dict[str, Any]] = {
    mutate: _OBJECT | {"required": ["operations"], "properties": {"operations": {"type": "array", "items": _OBJECT}}},
    change: _OBJECT
    | {"properties": {"share": {"type": "number", "minimum": 0, "maximum": 1}, "seed": {"type": "integer"}}},
    scenario: _OBJECT,
    reset: _OBJECT | {"properties": {"what": _NAMES}},
    expire_tokens: _OBJECT | {"properties": {"vendor": {"enum": ["4hse", "ditio"]}}},
    set_options: _OBJECT | {"properties": {name: {} for name in SandboxOptions().as_dict()}},
    add_fault: fault_schema(),
}
