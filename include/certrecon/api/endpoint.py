"""Where a vendor's API is and with what it is opened (design, *Connections*)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from certrecon.errors import ConnectionSettingsError

_HOST_NAME = re.compile(rb"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_LONGEST_HOST_NAME = 253


def is_loopback(host: str) -> bool:
    """Return whether a host name or address never leaves the machine."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_host(host: str) -> bool:
    """Return whether a host is an address or a name that can be looked up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return "%" not in host
    try:
        name = host.encode("idna")
    except UnicodeError:
        return False
    return len(name) <= _LONGEST_HOST_NAME and _HOST_NAME.fullmatch(name.lower()) is not None


def _split(url: str, where: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        message = f"{where} is not a usable address. Expected something like https://service.example.com"
        raise ConnectionSettingsError(message) from None
    if parts.scheme not in {"http", "https"}:
        message = f"{where} must start with https:// (it starts with '{parts.scheme[:20]}:')"
        raise ConnectionSettingsError(message)
    readable = all(char.isprintable() and not char.isspace() for char in url)
    if not readable or not _is_host(parts.hostname or ""):
        message = f"{where} names no host. Expected something like https://service.example.com"
        raise ConnectionSettingsError(message)
    return parts


def parse_base_url(url: str, *, where: str, allow_http: bool = False) -> str:
    """Return a vendor's address without a trailing slash, or refuse it.

    Args:
        url: A complete address; it may carry a port and a path.
        where: What the address is, for the message ("host of the connection 'ditio_default'").
        allow_http: Whether plain http may be spoken to other machines than this one.

    Raises:
        ConnectionSettingsError: Not http or https, no host, plain http to another machine, or an
            address with a user, a query or a fragment (which may be secret and are never repeated).
    """
    parts = _split(url.strip(), where)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        message = f"{where} must be an address alone, without user, password, '?' or '#'"
        raise ConnectionSettingsError(message)
    if parts.scheme == "http" and not (allow_http or is_loopback(parts.hostname or "")):
        message = (
            f"{where} is plain http to '{parts.hostname}', which would show the credentials to everybody on "
            'the way. Use https, or set "allow_http": true in the extra of the connection'
        )
        raise ConnectionSettingsError(message)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


@dataclass(frozen=True, slots=True)
class PasswordGrant:
    """4HSE's OAuth2 password grant: a user's token, sent as `Authorization: Bearer`.

    Attributes:
        token_url: The complete address of the token endpoint.
        client_id: The client that 4HSE gave the integrator.
        username: The 4HSE user whose projects are read.
        password: That user's password.
        client_secret: The client's secret; None for a public client.
        scope: What to ask for; None leaves it to the server.
    """

    token_url: str
    client_id: str
    username: str
    password: str = field(repr=False)
    client_secret: str | None = field(default=None, repr=False)
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """4HSE's static token of one user, sent as the query key `access-token`."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FourHseEndpoint:
    """4HSE at one address.

    Attributes:
        base_url: Everything before `/v2/...`.
        token: How to authenticate.
        allow_http: Whether plain http may leave the machine.
    """

    base_url: str
    token: PasswordGrant | AccessToken
    allow_http: bool = False

    def __post_init__(self) -> None:
        """Refuse addresses that could not be trusted with the credentials."""
        checked = parse_base_url(self.base_url, where="the 4HSE address", allow_http=self.allow_http)
        object.__setattr__(self, "base_url", checked)
        if isinstance(self.token, PasswordGrant):
            parse_base_url(self.token.token_url, where="the 4HSE token_url", allow_http=self.allow_http)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        if isinstance(self.token, AccessToken):
            return (self.token.value,)
        return tuple(filter(None, (self.token.password, self.token.client_secret)))


@dataclass(frozen=True, slots=True)
class DitioEndpoint:
    """Ditio's integration API at one address, opened by OAuth2 client credentials.

    Attributes:
        base_url: Everything before `/api/v4/...`.
        token_url: The complete address of the token endpoint.
        client_id: The client that a Ditio administrator made.
        client_secret: Its secret.
        scope: The scope of the integration API.
        allow_http: Whether plain http may leave the machine.
    """

    base_url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = "ditioapiv3"
    allow_http: bool = False

    def __post_init__(self) -> None:
        """Refuse addresses that could not be trusted with the credentials."""
        checked = parse_base_url(self.base_url, where="the Ditio address", allow_http=self.allow_http)
        object.__setattr__(self, "base_url", checked)
        parse_base_url(self.token_url, where="the Ditio token_url", allow_http=self.allow_http)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return (self.client_secret,)
