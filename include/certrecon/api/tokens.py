"""Where credentials come from: fetched, renewed before they end, and once on a 401 (design, *Extraction*)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec

from certrecon.api.endpoint import AccessToken, DitioEndpoint, PasswordGrant
from certrecon.api.redaction import Redactor
from certrecon.api.wire import Answer, Expect, Request
from certrecon.errors import CredentialsError, RequestRefusedError, ResponseFormatError, VendorUnavailableError

logger = logging.getLogger(__name__)

DEFAULT_LIFETIME = 300.0
"""Seconds a token is taken to live when the answer does not say (4HSE's shortest known)."""
EARLY = 60.0
"""Seconds before its end at which a token is fetched anew, at most a fifth of its life."""
_MAX_TOKEN_BODY = 2**20

Send = Callable[[Request], Awaitable[Answer]]
"""Sends a request without credentials, with retries, and raises what cannot be mended."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request carries: headers and query keys."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


class Auth(Protocol):
    """A source of credentials."""

    async def credential(self, send: Send) -> Credential:
        """Return a credential that is good now."""

    def discard(self, refused: Credential) -> bool:
        """Note that a 401 came back; return whether asking again may bring a better one."""


class StaticAccessToken:
    """4HSE's `access-token` query key: there is nothing to refresh."""

    def __init__(self, token: AccessToken) -> None:
        """Keep the token."""
        self._credential = Credential(query={"access-token": token.value})

    async def credential(self, send: Send) -> Credential:  # noqa: ARG002 - the protocol's signature
        """Return the one credential there is."""
        return self._credential

    def discard(self, refused: Credential) -> bool:  # noqa: ARG002 - the protocol's signature
        """Return False: the same token would be refused again."""
        return False


@dataclass(frozen=True, slots=True)
class Grant:
    """How to ask an OAuth2 token endpoint.

    Attributes:
        vendor: Whose endpoint it is, for messages.
        token_url: Its address.
        form: The first request's form.
        client: The part of the form that a refresh repeats; None where refresh tokens are not used.
    """

    vendor: str
    token_url: str
    form: Mapping[str, str] = field(repr=False)
    client: Mapping[str, str] | None = field(default=None, repr=False)


def password_grant(token: PasswordGrant) -> Grant:
    """Return 4HSE's grant: password first, then the refresh token."""
    client = {"client_id": token.client_id}
    if token.client_secret:
        client["client_secret"] = token.client_secret
    form = {"grant_type": "password", **client, "username": token.username, "password": token.password}
    if token.scope:
        form["scope"] = token.scope
    return Grant("4HSE", token.token_url, form, client)


def client_credentials(endpoint: DitioEndpoint) -> Grant:
    """Return Ditio's grant."""
    form = {
        "grant_type": "client_credentials",
        "client_id": endpoint.client_id,
        "client_secret": endpoint.client_secret,
        "scope": endpoint.scope,
    }
    return Grant("Ditio", endpoint.token_url, form)


class BearerToken:
    """One OAuth2 token at a time, shared by all requests of a client."""

    def __init__(
        self,
        grant: Grant,
        redactor: Redactor,
        *,
        on_secret: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep how to fetch it.

        Args:
            grant: How to ask for it.
            redactor: Is told of every token.
            on_secret: Likewise; Airflow's `mask_secret` in a hook.
            clock: Seconds, for tests.
        """
        self._grant = grant
        self._redactor = redactor
        self._on_secret = on_secret
        self._clock = clock
        self._lock = asyncio.Lock()
        self._current: Credential | None = None
        self._refresh_token: str | None = None
        self._renew_at = 0.0

    async def credential(self, send: Send) -> Credential:
        """Return the token, fetching one when there is none or it is about to end; one fetch at a time.

        Raises:
            CredentialsError: The token endpoint refused, or answered with no token; without a status.
            VendorUnavailableError: It did not answer usefully; likewise.
            RateLimitedError: It asks to wait for longer than is waited.
        """
        if self._current is None or self._clock() >= self._renew_at:
            async with self._lock:
                if self._current is None or self._clock() >= self._renew_at:
                    self._current = await self._fetched(send)
        return self._current

    def discard(self, refused: Credential) -> bool:
        """Forget the token that was refused, unless another has taken its place already."""
        if self._current is refused:
            self._current = None
        return True

    async def _fetched(self, send: Send) -> Credential:
        """Return a new token; a failure speaks of the connection, and of no row that was asked for with it."""
        try:
            return await self._fetch(send)
        except VendorUnavailableError as error:
            raise VendorUnavailableError(str(error)) from None
        except (CredentialsError, RequestRefusedError, ResponseFormatError) as error:
            raise CredentialsError(str(error)) from None

    async def _fetch(self, send: Send) -> Credential:
        if self._grant.client is not None and self._refresh_token:
            refresh = {
                "grant_type": "refresh_token",
                **self._grant.client,
                "refresh_token": self._refresh_token,
            }
            self._refresh_token = None
            try:
                return await self._ask(send, refresh)
            except (CredentialsError, RequestRefusedError):
                logger.info("%s no longer takes the refresh token; asking with the credentials", self._grant.vendor)
        return await self._ask(send, self._grant.form)

    async def _ask(self, send: Send, form: Mapping[str, str]) -> Credential:
        request = Request(
            "POST",
            self._grant.token_url,
            body=urlencode(form).encode("ascii"),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            expect=Expect.OBJECT,
            max_body=_MAX_TOKEN_BODY,
        )
        asked_at = self._clock()
        try:
            answer = await send(request)
        except RequestRefusedError as error:
            if error.status != 400:  # RFC 6749, 5.2: credentials and scope
                raise
            message = f"{error}. Check the credentials and the scope of the {self._grant.vendor} connection"
            raise CredentialsError(message) from None
        return self._taken(answer.body, asked_at)

    def _taken(self, body: bytes, asked_at: float) -> Credential:
        values = _token_answer(body)
        for name, value in values.items():
            if isinstance(value, str) and "token" in name and name != "token_type":
                self._tell(value)
        token = values.get("access_token")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
            message = f"{self._grant.vendor} answered the token request without a usable access_token"
            raise ResponseFormatError(message)
        refresh = values.get("refresh_token")
        self._refresh_token = refresh if isinstance(refresh, str) else None
        lifetime = _lifetime(values.get("expires_in"))
        self._renew_at = asked_at + lifetime - min(EARLY, lifetime / 5)
        return Credential(headers={"Authorization": f"Bearer {token}"})

    def _tell(self, secret: str) -> None:
        self._redactor.add(secret)
        if self._on_secret is not None and secret:
            self._on_secret(secret)


def _token_answer(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _lifetime(expires_in: Any) -> float:
    """Return the seconds a token lives; what is missing or senseless counts as a short life."""
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return DEFAULT_LIFETIME
    return seconds if 0 < seconds < float("inf") else DEFAULT_LIFETIME
