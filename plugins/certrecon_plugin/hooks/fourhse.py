"""`FourHseHook`: the 4HSE client from an Airflow connection."""

from __future__ import annotations

from airflow.sdk.log import mask_secret

from certrecon.api.delays import RetryPolicy
from certrecon.api.endpoint import AccessToken, FourHseEndpoint, PasswordGrant
from certrecon.api.fourhse import FourHseClient
from certrecon.api.wire import Timeouts
from certrecon_plugin.hooks.vendor import VendorHook


class FourHseHook(VendorHook):
    """4HSE through a connection of type `fourhse`.

    Host is the address; login and password are a 4HSE user's, with `token_url`, `client_id` and, if the
    client has one, `client_secret` in extra; or extra has an `access_token` alone.
    """

    conn_name_attr = "fourhse_conn_id"
    default_conn_name = "fourhse_default"
    conn_type = "fourhse"
    hook_name = "4HSE"
    needs = (
        "a host (https://service.4hse.com), and either login, password and in extra token_url, client_id and "
        "client_secret, or in extra an access_token"
    )

    def __init__(self, fourhse_conn_id: str = default_conn_name) -> None:
        """Keep the connection's id."""
        super().__init__(fourhse_conn_id)

    def endpoint(self) -> FourHseEndpoint:
        """Return where 4HSE is and how to authenticate.

        Raises:
            ConnectionSettingsError: The connection is missing or lacks a part; the message names both.
        """
        parts = self._settings()
        base_url = parts.base_url()
        access_token = parts.secret("access_token")
        if access_token:
            return FourHseEndpoint(base_url, AccessToken(access_token), parts.allow_http)
        grant = PasswordGrant(
            token_url=parts.token_url(),
            client_id=parts.part("client_id"),
            username=parts.login,
            password=parts.password,
            client_secret=parts.secret("client_secret"),
            scope=parts.part_or_none("scope"),
        )
        return FourHseEndpoint(base_url, grant, parts.allow_http)

    def client(
        self,
        *,
        concurrency: int = 4,
        requests_per_second: float | None = None,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
    ) -> FourHseClient:
        """Return a client to be used as `async with`; tokens it fetches are masked in Airflow's logs."""
        return FourHseClient(
            self.endpoint(),
            concurrency=concurrency,
            requests_per_second=requests_per_second,
            retry=retry,
            timeouts=timeouts,
            on_secret=mask_secret,
        )
