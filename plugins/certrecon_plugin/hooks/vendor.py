"""What both vendors' hooks share: how a connection is read (design, *Connections*)."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import Any, NoReturn

from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk.exceptions import AirflowException
from airflow.sdk.log import mask_secret

from certrecon.api.endpoint import parse_base_url
from certrecon.api.loop import run
from certrecon.errors import CertreconError, ConnectionSettingsError
from certrecon_plugin.masking import mask_quietly

MASKED = "***"
"""What Airflow's form shows in place of a secret, and may hand over where the real one is not known to it."""


class VendorHook(HttpHook):
    """Reads a connection by the http provider's conventions, and nothing else of that provider.

    The provider's own requests would send everything in `extra` as headers and login and password as
    Basic authentication, and log error bodies; so they are refused here, and `client()` is used.
    """

    needs = ""
    """What the connection must hold, for the message about a missing one."""

    def __init__(self, conn_id: str) -> None:
        """Keep the connection's id."""
        super().__init__(method="POST", http_conn_id=conn_id)

    def get_conn(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse the http provider's session."""
        raise NotImplementedError(f"{type(self).__name__} is used through client(), not through the http session")

    def run(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse the http provider's request."""
        self.get_conn()

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the connection works, and in words what it sees or what is wrong (*Test connection*).

        Asks for a token and a few rows; writes nothing and shows no secret. The connection's id is left out of the
        words: Airflow's own test makes one up.
        """
        try:
            return True, run(self._probe())
        except CertreconError as error:
            return False, str(error).replace(f"connection '{self.http_conn_id}'", "connection")

    def _probe(self) -> Coroutine[Any, Any, str]:
        """Return the coroutine that says what the connection sees, or raises what is wrong."""
        raise NotImplementedError

    def _settings(self) -> ConnectionParts:
        mask_quietly()
        try:
            found = self.get_connection(self.http_conn_id)
        except (AirflowException, ValueError):
            found = None
        if found is None:
            raise ConnectionSettingsError(
                f"The connection '{self.http_conn_id}' is missing or cannot be read. It needs {self.needs}. "
                f"Set it in Airflow, or as AIRFLOW_CONN_{self.http_conn_id.upper()}"
            )
        return ConnectionParts(found, self.needs)


class ConnectionParts:
    """The parts of one Airflow connection; asking for one that must be there and is not raises."""

    def __init__(self, connection: Any, needs: str) -> None:
        """Take the connection apart and have its secrets masked in Airflow's logs."""
        self._connection = connection
        self._where = f"the connection '{connection.conn_id}'"
        self._needs = needs
        self._extra = self._read_extra()
        if connection.password:
            mask_secret(connection.password)

    def _read_extra(self) -> dict[str, Any]:
        try:
            extra = json.loads(self._connection.extra or "{}")
        except ValueError:
            extra = None
        if not isinstance(extra, dict):
            raise ConnectionSettingsError(f"The extra of {self._where} is no JSON object. It needs {self._needs}")
        return extra

    def base_url(self) -> str:
        """Return the address: `host` with scheme, port and path; what it lacks is in the fields beside it."""
        host = self._required("host", self._connection.host)
        scheme = self._connection.schema or "https"
        url = host if "://" in host else f"{scheme}://{host}"
        if self._connection.port:
            beginning, slash, path = url.partition("://")[2].partition("/")
            url = f"{url.partition('://')[0]}://{beginning}:{self._connection.port}{slash}{path}"
        return parse_base_url(url, where=f"host of {self._where}", allow_http=self.allow_http)

    @property
    def allow_http(self) -> bool:
        """Whether `extra` lets plain http leave the machine."""
        return self._extra.get("allow_http") is True

    @property
    def login(self) -> str:
        """The login."""
        return self._required("login", self._connection.login)

    @property
    def password(self) -> str:
        """The password."""
        return self._required("password", self._connection.password)

    def part(self, key: str) -> str:
        """Return a key of `extra` that must be there."""
        return self._required(f"extra '{key}'", self._extra.get(key))

    def part_or_none(self, key: str) -> str | None:
        """Return a key of `extra` that may be missing."""
        value = self._extra.get(key)
        self._require_unmasked(f"extra '{key}'", value)
        return None if value is None or value == "" else str(value)

    def secret(self, key: str) -> str | None:
        """Return a secret of `extra` that may be missing, masked in Airflow's logs from now on."""
        value = self.part_or_none(key)
        if value:
            mask_secret(value)
        return value

    def token_url(self) -> str:
        """Return the token endpoint's address."""
        url = self.part("token_url")
        return parse_base_url(url, where=f"extra 'token_url' of {self._where}", allow_http=self.allow_http)

    def _required(self, name: str, value: Any) -> str:
        if value is None or not str(value).strip():
            where = self._where[0].upper() + self._where[1:]
            raise ConnectionSettingsError(f"{where} has no {name}. It needs {self._needs}")
        self._require_unmasked(name, value)
        return str(value)

    def _require_unmasked(self, name: str, value: Any) -> None:
        if value == MASKED:
            message = f"{name} of {self._where} is '{MASKED}', Airflow's mask and not the value: type it in again"
            raise ConnectionSettingsError(message)
