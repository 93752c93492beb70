"""4HSE's token endpoint: Keycloak, realm `4hse`, password and refresh_token grants."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from certrecon_sandbox import credentials
from certrecon_sandbox.auth import bearer_token, same
from certrecon_sandbox.bodies import BodyError, ContentTypeError, read_body
from certrecon_sandbox.fourhse.errors import YiiError
from certrecon_sandbox.state import Sandbox, sandbox_of

router = APIRouter()
_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_FORM = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}


async def authenticate(request: Request) -> None:
    """Let only users in: a bearer token, or the static `access-token` of the query.

    Raises:
        YiiError: 401.
    """
    token = bearer_token(request.headers.get("authorization"))
    if token is not None:
        if sandbox_of(request).fourhse_tokens.find(token) is not None:
            return
    else:
        static = request.query_params.get("access-token")
        accepted = (credentials.ACCESS_TOKEN, *credentials.SAMPLE_ACCESS_TOKENS)
        if any(same(static, known) for known in accepted):
            return
    raise YiiError(401, "Your request was made with invalid credentials.")


@router.post(
    "/auth/realms/4hse/protocol/openid-connect/token",
    openapi_extra={"requestBody": {"content": _FORM}},
)
async def token(request: Request) -> Response:
    """Give a token."""
    try:
        form = await read_body(request)
    except (BodyError, ContentTypeError):
        form = {}
    sandbox = sandbox_of(request)
    if "grant_type" not in form:
        return _error(400, "invalid_request", "Missing form parameter: grant_type")
    if not _client_is_known(request, form):
        return _error(401, "invalid_client", "Invalid client or Invalid client credentials")
    if form["grant_type"] == "password":
        return _password_grant(sandbox, form)
    if form["grant_type"] == "refresh_token":
        return _refresh_grant(sandbox, form)
    return _error(400, "unsupported_grant_type", "Unsupported grant_type")


def _client_is_known(request: Request, form: dict[str, Any]) -> bool:
    client, secret = _basic(request) or (form.get("client_id"), form.get("client_secret"))
    return same(client, credentials.CLIENT_ID) and same(secret, credentials.CLIENT_SECRET)


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return client, secret


def _password_grant(sandbox: Sandbox, form: dict[str, Any]) -> Response:
    known = same(form.get("username"), credentials.USERNAME)
    if not (same(form.get("password"), credentials.PASSWORD) and known):
        return _error(400, "invalid_grant", "Invalid user credentials")
    scope = str(form.get("scope") or "profile email")
    if not _SCOPES.issuperset(scope.split()):
        return _error(400, "invalid_scope", f"Invalid scopes: {scope}")
    return _tokens(sandbox, scope)


def _refresh_grant(sandbox: Sandbox, form: dict[str, Any]) -> Response:
    token = str(form.get("refresh_token", ""))
    grant = sandbox.fourhse_tokens.find(f"refresh:{token}")
    if grant is None:
        return _error(400, "invalid_grant", "Token is not active")
    sandbox.fourhse_tokens.revoke(f"refresh:{token}")
    return _tokens(sandbox, " ".join(sorted(grant.scopes)))


def _tokens(sandbox: Sandbox, scope: str) -> Response:
    options, scopes = sandbox.options, frozenset(scope.split())
    access = sandbox.fourhse_tokens.issue(options.fourhse_expires_in, scopes)
    refresh = sandbox.fourhse_tokens.issue(options.fourhse_refresh_expires_in, scopes, prefix="refresh:")
    body = {
        "access_token": access,
        "expires_in": options.fourhse_expires_in,
        "refresh_expires_in": options.fourhse_refresh_expires_in,
        "refresh_token": refresh,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "session_state": secrets.token_hex(16),
        "scope": scope,
    }
    return JSONResponse(body, headers=_NO_STORE)


def _error(status: int, code: str, description: str) -> Response:
    return JSONResponse({"error": code, "error_description": description}, status, _NO_STORE)
