"""`DitioHook`: the Ditio client from an Airflow connection."""

from __future__ import annotations

from airflow.sdk.log import mask_secret

from certrecon.api.delays import RetryPolicy
from certrecon.api.ditio import DitioClient
from certrecon.api.endpoint import DitioEndpoint
from certrecon.api.wire import Timeouts
from certrecon_plugin.hooks.vendor import VendorHook

DEFAULT_SCOPE = "ditioapiv3"


class DitioHook(VendorHook):
    """Ditio through a connection of type `ditio`.

    Host is the address; login and password are a client's id and secret; extra has `token_url` and,
    where it is not the usual one, `scope`.
    """

    conn_name_attr = "ditio_conn_id"
    default_conn_name = "ditio_default"
    conn_type = "ditio"
    hook_name = "Ditio"
    needs = (
        "a host (https://core-api.ditio.app/core), the client id as login, the client secret as password, "
        "and in extra token_url and scope (ditioapiv3)"
    )

    def __init__(self, ditio_conn_id: str = default_conn_name) -> None:
        """Keep the connection's id."""
        super().__init__(ditio_conn_id)

    def endpoint(self) -> DitioEndpoint:
        """Return where Ditio is and how to authenticate.

        Raises:
            ConnectionSettingsError: The connection is missing or lacks a part; the message names both.
        """
        parts = self._settings()
        return DitioEndpoint(
            base_url=parts.base_url(),
            token_url=parts.token_url(),
            client_id=parts.login,
            client_secret=parts.password,
            scope=parts.part_or_none("scope") or DEFAULT_SCOPE,
            allow_http=parts.allow_http,
        )

    def client(
        self,
        *,
        concurrency: int = 2,
        requests_per_second: float | None = None,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
    ) -> DitioClient:
        """Return a client to be used as `async with`; tokens it fetches are masked in Airflow's logs."""
        return DitioClient(
            self.endpoint(),
            concurrency=concurrency,
            requests_per_second=requests_per_second,
            retry=retry,
            timeouts=timeouts,
            on_secret=mask_secret,
        )
