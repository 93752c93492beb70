"""The OpenAPI description of what the routes read themselves."""

from __future__ import annotations

from typing import Any

from certrecon_sandbox.fourhse.entities import Entity
from certrecon_sandbox.fourhse.validation import Field

Json = dict[str, Any]

FORCE_PARAMETER: Json = {"name": "force", "in": "query", "schema": {"type": "boolean"}}
CODE_PARAMETERS: tuple[Json, ...] = tuple(
    {"name": name, "in": "query", "schema": {"type": "string"}} for name in ("code", "project_id")
)
_FORMATS: dict[str, Json] = {
    "text": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
    "date": {"type": "string", "format": "date"},
    "integer": {"type": "integer"},
    "object": {"type": "object"},
}


def id_parameter() -> list[Json]:
    """Describe the id in the query."""
    return [{"name": "id", "in": "query", "schema": {"type": "string"}}]


def index_body(entity: Entity) -> Json:
    """Describe the body of `POST index`."""
    filters = {name: _filter(entity, name) for name in sorted(entity.filters)}
    properties: Json = {"filter": {"type": "object", "properties": filters, "additionalProperties": False}}
    properties |= _paging(entity)
    return _content({"type": "object", "properties": properties}, required=False)


def index_parameters(entity: Entity) -> list[Json]:
    """Describe the query of `GET index`."""
    names: Json = {f"filter[{name}]": _filter(entity, name) for name in sorted(entity.filters)}
    names |= _paging(entity)
    return [{"name": name, "in": "query", "schema": schema} for name, schema in names.items()]


def write_body(fields: tuple[Field, ...]) -> Json:
    """Describe the body of create and update."""
    properties = {field.name: _field(field) for field in fields}
    required = [field.name for field in fields if field.required]
    return _content({"type": "object", "properties": properties, "required": required})


def _paging(entity: Entity) -> Json:
    sorts = [sign + name for name in sorted(entity.sorts) for sign in ("", "-")]
    paging: Json = {
        "per-page": {"type": "integer", "minimum": 1, "default": 100},
        "page": {"type": "integer", "minimum": 1, "default": 1},
        "sort": {"type": "string", "enum": sorts},
    }
    return paging | ({"history": {"type": "boolean"}} if entity.history else {})


def _filter(entity: Entity, name: str) -> Json:
    allowed = entity.allowed.get(name)
    return {"enum": list(allowed)} if allowed else {"type": ["string", "integer"]}


def _field(field: Field) -> Json:
    schema = dict(_FORMATS[field.kind])
    if field.longest is not None:
        schema["maxLength"] = field.longest
    if field.allowed:
        schema["enum"] = list(field.allowed)
    return schema


def _content(schema: Json, *, required: bool = True) -> Json:
    kinds = ("application/json", "application/x-www-form-urlencoded")
    return {"required": required, "content": {kind: {"schema": schema} for kind in kinds}}
