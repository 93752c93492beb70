"""Ditio's token endpoint: client credentials, scope checked."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from certrecon_sandbox import credentials
from certrecon_sandbox.auth import bearer_token, same
from certrecon_sandbox.bodies import BodyError, ContentTypeError, read_body
from certrecon_sandbox.ditio.errors import DitioError
from certrecon_sandbox.state import sandbox_of

router = APIRouter()
_SCOPES = frozenset({credentials.DITIO_SCOPE, credentials.DITIO_REPORTING_SCOPE})
_FORM = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}


async def authenticate(request: Request) -> None:
    """Let only clients in whose token has the integration scope.

    Raises:
        DitioError: 401 without a token that counts, 403 without the scope.
    """
    token = bearer_token(request.headers.get("authorization"))
    grant = sandbox_of(request).ditio_tokens.find(token) if token else None
    if grant is None:
        raise DitioError(401, "Unauthorized", "The access token is missing, wrong or has expired.")
    if credentials.DITIO_SCOPE not in grant.scopes:
        raise DitioError(403, "Forbidden", f"The scope {credentials.DITIO_SCOPE} is required.")


@router.post("/identity/connect/token", openapi_extra={"requestBody": {"content": _FORM}})
async def token(request: Request) -> Response:
    """Give a token."""
    try:
        form = await read_body(request)
    except (BodyError, ContentTypeError):
        return _error("invalid_request")
    if form.get("grant_type") != "client_credentials":
        return _error("unsupported_grant_type")
    known = same(form.get("client_id"), credentials.DITIO_CLIENT_ID)
    if not (same(form.get("client_secret"), credentials.DITIO_CLIENT_SECRET) and known):
        return _error("invalid_client")
    scopes = frozenset(str(form.get("scope") or "").split())
    if not scopes or scopes - _SCOPES:
        return _error("invalid_scope")
    sandbox = sandbox_of(request)
    lifetime = sandbox.options.ditio_expires_in
    body = {
        "access_token": sandbox.ditio_tokens.issue(lifetime, scopes),
        "expires_in": lifetime,
        "token_type": "Bearer",
        "scope": " ".join(sorted(scopes)),
    }
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _error(code: str) -> Response:
    return JSONResponse({"error": code}, 400, {"Cache-Control": "no-store"})
