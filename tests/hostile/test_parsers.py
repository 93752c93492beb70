"""Whatever a vendor answers, what comes out is rows, or one of our errors in a few visible words."""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from certrecon.api.delays import Delays, RetryPolicy, asked_wait
from certrecon.api.ditio import DitioClient
from certrecon.api.fourhse import FourHseClient
from certrecon.api.paging import UnstableReadError
from certrecon.api.redaction import Redactor
from certrecon.api.rows import raw_elements, raw_row, raw_rows, text_of_raw
from certrecon.api.vendor_errors import parse_error
from certrecon.errors import CertreconError, ResponseFormatError
from certrecon.extract.employees import extract_employees
from certrecon.extract.fields import CERTIFICATES, LINKS, EntityFields, person_fields
from certrecon.extract.taking import DatasetTaker
from certrecon.extract.tenant import TenantRead, extract_tenant
from certrecon.words import EmployeeSource
from tests.hostile.clients import assert_fit_to_show
from tests.hostile.json_texts import HEADER_VALUES, LITERALS, VALUES, arrays, bodies, objects
from tests.integration.extract.parquet import Folder, table_of
from tests.unit.api.scripted import ditio_endpoint, fourhse_endpoint, token_answer

MANY = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
OVER_HTTP = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ONE_TRY = RetryPolicy(attempts=1, rate_limited_attempts=1, base=0.001, cap=0.001, total=5.0)
DATASETS = {fields.dataset: fields for fields in (CERTIFICATES, LINKS, person_fields("code"))}
EMPLOYEE = ["employeeId", "EmployeeNumber", "employeenumber", "firstName", "lastName", "birthDate", "companyId", "isDisabled", "isActive", "employment", "employmentHistory", "endDate", "data", "continuationToken", "links"]  # fmt: skip


def _names(fields: EntityFields) -> list[str]:
    return sorted({*fields.columns.values(), *fields.dropped})


PAGES = bodies(arrays(objects(_names(CERTIFICATES) + _names(LINKS) + _names(person_fields("code")))))


# --- rows ----------------------------------------------------------------------------------------------


@MANY
@given(st.one_of(st.binary(max_size=40), PAGES, bodies(VALUES)))
def test_rows_of_any_body(body: bytes) -> None:
    for parse in (raw_rows, raw_elements, raw_row):
        try:
            parse(body, "the body")
        except ResponseFormatError as error:
            assert_fit_to_show(str(error), 200)


@MANY
@given(PAGES)
def test_every_value_becomes_text_that_can_be_stored(body: bytes) -> None:
    try:
        rows = raw_rows(body, "the body")
    except ResponseFormatError:
        return
    for text in (text_of_raw(raw) for row in rows for raw in row.values()):
        assert text is None or text.encode("utf-8") is not None


@MANY
@given(dataset=st.sampled_from(sorted(DATASETS)), pages=st.lists(PAGES, min_size=1, max_size=3))
def test_pages_become_columns_of_text(dataset: str, pages: list[bytes]) -> None:
    fields, kept = DATASETS[dataset], list[pa.Table]()
    taker = DatasetTaker(fields, "t1", lambda ours, foreign: kept.extend((ours, foreign)))
    taken = 0
    try:
        for page in pages:
            taken += len(taker.take(page))
        taker.flush()
    except UnstableReadError as error:
        assert_fit_to_show(str(error), 200)
        return
    for table in kept:
        table.validate(full=True)
        assert table.schema.types == [pa.string()] * len(fields.columns)
    counted = taker.rows + taker.foreign_rows + taker.duplicate_rows + taker.without_id
    assert counted == taken, "every row is counted once"
    assert all(name.isprintable() and len(name) <= 100 for name in taker.undocumented)


# --- errors, waits, tokens -------------------------------------------------------------------------------

ERRORS = bodies(
    objects(["error", "error_description", "message", "errors", "title", "detail", "code", "name", "field", "target"])
)


@MANY
@given(st.one_of(st.binary(max_size=60), ERRORS, bodies(arrays(objects(["field", "message"])))))
def test_error_bodies(body: bytes) -> None:
    found = parse_error(body, Redactor(["hush-secret"]))
    assert len(str(found)) <= 500
    assert str(found).isprintable()


SLOW = {
    "one long word": b'{"message": "' + b"x" * 5_000_000 + b'"}',
    "tags that are not closed": b"<a " * 30_000,
    "brackets": b"<" * 1_000_000,
    "scripts that are not closed": b"<script>" * 10_000,
    "headings that are not closed": b"<html>" + b"<h1>" * 20_000,
    "titles that are not closed": b"<html>" + b"<title x" * 10_000,
    "braces": b"{" * 60_000,
    "quotes": b"'" * 60_000,
    "backquotes": b"`a" * 30_000,
    "rows in text": b"said [[" * 9_000,
    "half a token": b"eyJ" + b"a." * 500_000,
    "words like secrets": b"-token" * 20_000,
    "passwords without one": b"password" + b" " * 60_000,
    "addresses without a host": b"a@" * 30_000,
    "addresses without an end": b"a@a." * 15_000,
    "telephone numbers": b"+1 " + b"1 " * 30_000,
    "dates of birth": b"data" * 15_000,
    "escapes of a terminal": b'{"message":"' + b"\\u001b]" * 10_000 + b'"}',
}  # fmt: skip


@pytest.mark.parametrize("name", SLOW)
def test_no_error_body_takes_long(name: str) -> None:
    """A refused row's message is read while other answers wait: what takes quadratic time would stop the run."""
    started = time.process_time()
    found = parse_error(SLOW[name], Redactor(["hush-secret"]))
    assert time.process_time() - started < 0.5
    assert len(str(found)) <= 500


WAITS = st.one_of(
    HEADER_VALUES,
    st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
    st.sampled_from(["Mon, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:59 -2359", "Fri, 31 Dec 9999 23:59:59 -9999", "1 Jan 1", "inf", "-inf", "1e308", "1e400"]),
)  # fmt: skip


@MANY
@given(st.dictionaries(st.sampled_from(["Retry-After", "X-Rate-Limit-Reset", "Date"]), WAITS), st.booleans())
def test_what_an_answer_asks_to_wait(headers: Mapping[str, str], rate_limited: bool) -> None:
    asked = asked_wait(headers)
    assert asked is None or (math.isfinite(asked) and asked >= 0)
    delays = Delays(RetryPolicy(total=600.0))
    wait = delays.next_wait(rate_limited=rate_limited, asked=asked)
    assert wait is None or 0 < wait < 600, "no answer makes a call last longer than it may"


class Vendor:
    """Both vendors, answering one body and headers to everything; in one loop for many examples."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.say(b"[]")
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self.server = TestServer(app)
        self.loop.run_until_complete(self.server.start_server())
        self.url = str(self.server.make_url("")).rstrip("/")

    def say(
        self, body: bytes, headers: Mapping[str, str] | None = None, token: bytes | None = None, status: int = 200
    ) -> None:
        self.body, self.headers, self.token, self.status = body, dict(headers or {}), token, status

    async def _answer(self, request: web.Request) -> web.Response:
        if request.path == "/token":
            if self.token is not None:
                return web.Response(body=self.token)
            return web.json_response(token_answer("token-value-4"))
        return web.Response(status=self.status, body=self.body, headers=self.headers)

    def close(self) -> None:
        self.loop.run_until_complete(self.server.close())
        self.loop.close()

    def hears(self, call: Any) -> Any:
        """Return what a call gives, or None where it ended in one of our errors, which is fit to be shown."""
        try:
            return self.loop.run_until_complete(call)
        except CertreconError as error:
            assert_fit_to_show(str(error), 2_000)
            return None

    async def projects(self) -> Any:
        async with FourHseClient(fourhse_endpoint(self.url), retry=ONE_TRY) as client:
            return await client.projects()

    async def tenant(self, folder: Path) -> Any:
        async with FourHseClient(fourhse_endpoint(self.url), retry=ONE_TRY) as client:
            return await extract_tenant(client, TenantRead("t1", Folder(folder), known_ids=["c1"]))

    async def employees(self, folder: Path) -> Any:
        async with DitioClient(ditio_endpoint(self.url), retry=ONE_TRY) as client:
            return await extract_employees(client, EmployeeSource.EMPLOYEES_V5, None, Folder(folder))

    async def post(self) -> Any:
        async with DitioClient(ditio_endpoint(self.url), retry=ONE_TRY) as client:
            return await client.post_certificates(b"[]")


@pytest.fixture(scope="module")
def vendor() -> Any:
    running = Vendor()
    yield running
    running.close()


PAGING = st.dictionaries(
    st.sampled_from([f"X-Pagination-{name}" for name in ("Total-Count", "Page-Count", "Current-Page", "Per-Page")]),
    HEADER_VALUES,
)
PROJECT = objects(["project_id", "name", "status", "project_type"])
TOKENS = bodies(objects(["access_token", "refresh_token", "expires_in", "token_type", "id_token"]))


@OVER_HTTP
@given(body=bodies(arrays(PROJECT)), headers=PAGING)
def test_the_list_of_projects(vendor: Vendor, body: bytes, headers: dict[str, str]) -> None:
    vendor.say(body, headers)
    for project in vendor.hears(vendor.projects()) or []:
        assert project.project_id


@OVER_HTTP
@given(body=PAGES, headers=PAGING)
@example(body=b"[]", headers={"X-Pagination-Total-Count": "0"})
def test_a_tenant(vendor: Vendor, body: bytes, headers: dict[str, str]) -> None:
    vendor.say(body, headers)
    with tempfile.TemporaryDirectory() as folder:
        read = vendor.hears(vendor.tenant(Path(folder)))
        for facts in read.datasets if read else ():
            table_of(facts).validate(full=True)


@OVER_HTTP
@example(body=b'[{"employeeNumber": "1", "employment": [{"endDate": ' + b"9" * 5_000 + b"}]}]")
@example(body=b'[{"employeeNumber": "1", "employment": {"endDate": NaN, "EndDate": [1e400]}}]')
@given(
    body=bodies(
        st.one_of(
            arrays(objects(EMPLOYEE)),
            objects(EMPLOYEE),
            arrays(objects(EMPLOYEE)).map(lambda rows: f'{{"data": {rows}}}'),
        )
    )
)
def test_the_list_of_employees(vendor: Vendor, body: bytes) -> None:
    vendor.say(body)
    with tempfile.TemporaryDirectory() as folder:
        facts = vendor.hears(vendor.employees(Path(folder)))
        if facts:
            table_of(facts).validate(full=True)


@OVER_HTTP
@example(token=b'{"access_token": "a", "expires_in": ' + b"9" * 5_000 + b"}")
@example(token=b'{"access_token": "' + b"a" * 500_000 + b'"}')
@given(token=TOKENS)
def test_the_token(vendor: Vendor, token: bytes) -> None:
    vendor.say(b"[]", token=token)
    vendor.hears(vendor.post())


@OVER_HTTP
@given(
    body=ERRORS,
    status=st.integers(200, 599),
    headers=st.dictionaries(
        st.sampled_from(["Retry-After", "X-Rate-Limit-Reset", "Location", "X-Certrecon-Sandbox"]), HEADER_VALUES
    ),
)
def test_the_answer_to_a_post(vendor: Vendor, body: bytes, status: int, headers: dict[str, str]) -> None:
    vendor.say(body, headers, status=status)
    attempt = vendor.hears(vendor.post())
    assert attempt.http_status in {status, None}
    if attempt.message is not None:
        assert_fit_to_show(attempt.message, 600)
    assert attempt.retry_after is None or math.isfinite(attempt.retry_after)


@pytest.mark.parametrize("literal", LITERALS, ids=lambda text: ascii(text)[:30])
@pytest.mark.parametrize("field", ["name", "date_release", "certificate_id", "tenant_id"])
def test_every_odd_value_in_a_field(field: str, literal: str) -> None:
    kept = list[pa.Table]()
    taker = DatasetTaker(CERTIFICATES, "t1", lambda ours, _foreign: kept.append(ours))
    row = {"certificate_id": '"c1"', "tenant_id": '"t1"', "date_release": '"2024-01-01"', "name": '"A"'} | {
        field: literal
    }
    body = "[{" + ",".join(f'"{name}":{value}' for name, value in row.items()) + "}]"
    try:
        taker.take(body.encode())
        taker.flush()
    except UnstableReadError as error:
        assert_fit_to_show(str(error), 200)
        return
    kept[0].validate(full=True)
