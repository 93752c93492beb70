"""`DitioHook`: the Ditio client from an Airflow connection."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any, Self

from airflow.sdk.log import mask_secret

from certrecon.api.blocking import Blocking
from certrecon.api.delays import RetryPolicy
from certrecon.api.ditio import DitioClient
from certrecon.api.ditio_api.certificates import DitioCertificate
from certrecon.api.ditio_api.employees import EmployeeRow, UserRow
from certrecon.api.ditio_api.records import BATCH_SIZE, DitioRecords, Includes
from certrecon.api.endpoint import DitioEndpoint
from certrecon.api.labels import DITIO_SCOPE
from certrecon.api.probe import probe_ditio
from certrecon.api.wire import Timeouts
from certrecon_plugin.hooks.vendor import VendorHook


class DitioHook(VendorHook):
    """Ditio through a connection of type `ditio`.

    Host is the address; login and password are a client's id and secret; extra has `token_url` and,
    where it is not the usual one, `scope`.

    ```python
    with DitioHook() as ditio:  # one session for all calls; without `with` each call has its own
        anna = ditio.employee("1042", include=["tags"])
    ```
    """

    conn_name_attr = "ditio_conn_id"
    default_conn_name = "ditio_default"
    conn_type = "ditio"
    hook_name = "Ditio"
    needs = (
        "a host (https://core-api.ditio.app/core), the client id as login, the client secret as password, "
        "and in extra token_url and scope (ditioapiv3)"
    )

    def __init__(
        self,
        ditio_conn_id: str = default_conn_name,
        *,
        requests_per_second: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        """Keep the connection's id, and for this hook's own calls their rate and when to try again."""
        super().__init__(ditio_conn_id)
        make = partial(self.client, requests_per_second=requests_per_second, retry=retry)
        self._session = Blocking[DitioClient](make)

    def __enter__(self) -> Self:
        """Open one session for all calls."""
        self._session.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self._session.__exit__(*exc_info)

    def upsert_certificates(
        self, certificates: Iterable[DitioCertificate | Mapping[str, Any]], *, batch_size: int = BATCH_SIZE
    ) -> int:
        """Create or update certificates and return how many; arguments and errors are those of `DitioRecords`."""
        return self._session.call(
            lambda client: DitioRecords(client).upsert_certificates(certificates, batch_size=batch_size)
        )

    def employees(self, include: Includes = (), *, subsidiaries: bool = False) -> list[EmployeeRow]:
        """Return every employee (v5), with those of subsidiaries if asked for."""
        return self._session.call(lambda client: DitioRecords(client).employees(include, subsidiaries=subsidiaries))

    def employee(self, employee_number: str, include: Includes = ()) -> EmployeeRow | None:
        """Return the employee (v5) with a number, or None."""
        return self._session.call(lambda client: DitioRecords(client).employee(employee_number, include))

    def search_employees(self, text: str, include: Includes = ()) -> list[EmployeeRow]:
        """Return the employees (v5) whose name, phone, e-mail or number has a text in it."""
        return self._session.call(lambda client: DitioRecords(client).search_employees(text, include))

    def users(self, changed_since: datetime | date | str | None = None) -> list[UserRow]:
        """Return every user (v4), or those changed since a moment."""
        return self._session.call(lambda client: DitioRecords(client).users(changed_since))

    def user_by_employee_number(self, employee_number: str) -> UserRow | None:
        """Return the user (v4) with an employee number, or None."""
        return self._session.call(lambda client: DitioRecords(client).user_by_employee_number(employee_number))

    def user_by_profile_id(self, company_profile_id: str) -> UserRow | None:
        """Return the user (v4) with a profile id, or None."""
        return self._session.call(lambda client: DitioRecords(client).user_by_profile_id(company_profile_id))

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
            scope=parts.part_or_none("scope") or DITIO_SCOPE,
            allow_http=parts.allow_http,
        )

    def _probe(self) -> Coroutine[Any, Any, str]:
        return probe_ditio(self.endpoint(), on_secret=mask_secret)

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
