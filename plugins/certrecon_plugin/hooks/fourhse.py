"""`FourHseHook`: the 4HSE client from an Airflow connection."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any, Self

from airflow.sdk.log import mask_secret

from certrecon.api.blocking import Blocking
from certrecon.api.delays import RetryPolicy
from certrecon.api.endpoint import AccessToken, FourHseEndpoint, PasswordGrant
from certrecon.api.fourhse import FourHseClient
from certrecon.api.fourhse_api.blocking import Lists, PersonLists, WritableLists
from certrecon.api.fourhse_api.certificates import (
    CertificateChange,
    CertificateFilter,
    CertificateRow,
    NewCertificate,
)
from certrecon.api.fourhse_api.links import (
    CertificateActionChange,
    CertificateActionFilter,
    CertificateActionRow,
    NewCertificateAction,
)
from certrecon.api.fourhse_api.people import ActionFilter, ActionRow, ProjectFilter, ProjectRow
from certrecon.api.probe import probe_fourhse
from certrecon.api.wire import Timeouts
from certrecon_plugin.hooks.vendor import VendorHook


class FourHseHook(VendorHook):
    """4HSE through a connection of type `fourhse`.

    Host is the address; login and password are a 4HSE user's, with `token_url`, `client_id` and, if the
    client has one, `client_secret` in extra, and `scope` where 4HSE wants one named; or extra has an
    `access_token` alone.

    ```python
    with FourHseHook() as fourhse:  # one session for all calls; without `with` each call has its own
        soon = fourhse.certificates.frame({"tenant_id": project_id}, sort="date_expire")
    ```
    The rows are 4HSE's own: `data` and `note` may be medical, and what becomes of them is the caller's to decide.
    """

    conn_name_attr = "fourhse_conn_id"
    default_conn_name = "fourhse_default"
    conn_type = "fourhse"
    hook_name = "4HSE"
    needs = (
        "a host (https://service.4hse.com), and either login, password and in extra token_url, client_id and "
        "client_secret, or in extra an access_token"
    )

    def __init__(
        self,
        fourhse_conn_id: str = default_conn_name,
        *,
        requests_per_second: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        """Keep the connection's id, and for this hook's own calls their rate and when to try again."""
        super().__init__(fourhse_conn_id)
        make = partial(self.client, requests_per_second=requests_per_second, retry=retry)
        self._session = Blocking[FourHseClient](make)

    def __enter__(self) -> Self:
        """Open one session for all calls."""
        self._session.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self._session.__exit__(*exc_info)

    @property
    def certificates(
        self,
    ) -> WritableLists[CertificateRow, CertificateFilter, NewCertificate, CertificateChange]:
        """Certificates: `index`, `pages`, `rows`, `frame`, `view`, `create`, `update`, `delete`."""
        return WritableLists(self._session, lambda fourhse: fourhse.certificates)

    @property
    def certificate_actions(
        self,
    ) -> WritableLists[CertificateActionRow, CertificateActionFilter, NewCertificateAction, CertificateActionChange]:
        """The links between certificates and actions, with the same operations."""
        return WritableLists(self._session, lambda fourhse: fourhse.certificate_actions)

    @property
    def persons(self) -> PersonLists:
        """Persons: `index`, `pages`, `rows`, `frame`, `view`, `view_by_code`."""
        return PersonLists(self._session, lambda fourhse: fourhse.persons)

    @property
    def projects(self) -> Lists[ProjectRow, ProjectFilter]:
        """Projects: `index`, `pages`, `rows`, `frame`, `view`."""
        return Lists(self._session, lambda fourhse: fourhse.projects)

    @property
    def actions(self) -> Lists[ActionRow, ActionFilter]:
        """Actions, with the same operations."""
        return Lists(self._session, lambda fourhse: fourhse.actions)

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

    def _probe(self) -> Coroutine[Any, Any, str]:
        return probe_fourhse(self.endpoint(), on_secret=mask_secret)

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
