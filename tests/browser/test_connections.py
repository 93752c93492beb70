"""Airflow's connection form for 4HSE and Ditio, and its button *Test Connection*, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import requests
from playwright.sync_api import Browser, Locator, Response

from certrecon_sandbox import credentials
from certrecon_sandbox.ditio.employees import SUBSIDIARY
from tests.browser.station import Station, running_station
from tests.browser.visit import Visit, visiting

SECRETS = (
    credentials.PASSWORD,
    credentials.CLIENT_SECRET,
    credentials.ACCESS_TOKEN,
    credentials.DITIO_CLIENT_SECRET,
)
Values = dict[str, str]


@pytest.fixture(scope="module")
def bare(program: str) -> Iterator[Station]:
    """An Airflow of its own in which nobody has made a connection yet."""
    with running_station(lambda _checkout, _sandbox: None, {"admin": "admin"}) as running:
        yield running


@dataclass
class Connections:
    """Airflow's page of connections, in the hands of an administrator.

    Attributes:
        visit: The window.
        leaked: Addresses whose answers held a secret.
    """

    visit: Visit
    leaked: list[str] = field(default_factory=list)

    def listen(self, response: Response) -> None:
        if "/api/v2/connections" in response.url and any(secret in response.text() for secret in SECRETS):
            self.leaked.append(response.url)

    def open(self) -> None:
        self.visit.page.goto(f"{self.visit.station.url}/connections")

    def add(self, identity: str, kind: str, values: Values, extra: Values) -> None:
        """Choose a type, fill in the form, save."""
        self.open()
        self.visit.page.get_by_role("button", name="Add Connection").first.click()
        self.form.locator("input[name=connection_id]").fill(identity)
        self.form.get_by_role("combobox").fill(kind)
        self.visit.page.get_by_role("option", name=kind, exact=True).click()
        self.fill(values, extra)

    def edit(self, identity: str, values: Values, extra: Values) -> None:
        """Change some fields of a saved connection, save."""
        self.row(identity).get_by_role("button", name="Edit Connection").click()
        self.fill(values, extra)

    def fill(self, values: Values, extra: Values) -> None:
        for name, value in values.items():
            self.section("Standard Fields").locator(f"[name={name}]").fill(value)
        for name, value in extra.items():
            self.section("Extra Fields").locator(f"[name=element_{name}]").fill(value)
        self.form.get_by_role("button", name="Save").click()
        self.form.wait_for(state="hidden")

    def section(self, title: str) -> Locator:
        """Return the form with one of its sections opened."""
        button = self.form.get_by_role("button", name=title, exact=True)
        if button.get_attribute("aria-expanded") != "true":
            button.click()
        return self.form

    def test(self, identity: str) -> str:
        """Press the button of a row and return what Airflow says."""
        self.open()
        self.row(identity).get_by_role("button", name="Test Connection").click()
        toast = self.visit.page.locator("[data-scope=toast][data-part=root]").first
        toast.wait_for()
        return " ".join(toast.inner_text().split())

    @property
    def form(self) -> Locator:
        return self.visit.page.get_by_role("dialog")

    def row(self, identity: str) -> Locator:
        return self.visit.page.get_by_role("row").filter(has_text=identity)


@pytest.fixture
def page(browser: Browser, bare: Station) -> Iterator[Connections]:
    """The page; in the end no answer of Airflow held a secret, and no test wrote anything."""
    with visiting(browser, bare) as visit:
        visit.log_in("admin")
        connections = Connections(visit)
        visit.page.on("response", connections.listen)
        yield connections
    assert connections.leaked == []
    assert requests.get(f"{bare.sandbox.url}/control/writes", timeout=30).json() == []


def fourhse(station: Station) -> tuple[Values, Values]:
    """Return what somebody types in for 4HSE."""
    token_url = station.sandbox.url + credentials.FOURHSE_TOKEN_PATH
    values = {"host": f"{station.sandbox.url}/4hse", "login": credentials.USERNAME, "password": credentials.PASSWORD}
    client = {"client_id": credentials.CLIENT_ID, "client_secret": credentials.CLIENT_SECRET}
    return values, {"token_url": token_url, **client}


def ditio(station: Station) -> tuple[Values, Values]:
    """Return what somebody types in for Ditio."""
    url, secret = f"{station.sandbox.url}/ditio/core", credentials.DITIO_CLIENT_SECRET
    values = {"host": url, "login": credentials.DITIO_CLIENT_ID, "password": secret}
    return values, {"token_url": station.sandbox.url + credentials.DITIO_TOKEN_PATH}


def visible(station: Station) -> str:
    """Return what a test of 4HSE has to say of the projects that there are."""
    projects = station.sandbox.rows("projects")
    active = [row for row in projects if row["status"] == "active" and row["project_type"] != "template"]
    return f"{len(projects)} projects visible, {len(active)} active"


def readable(station: Station) -> str:
    """Return what a test of Ditio has to say of the employees that there are."""
    listed = [row for row in station.sandbox.rows("employees") if row["kind"] != SUBSIDIARY]
    return f"{len(listed)} employees readable"


def test_4hse_is_filled_in_tested_and_changed_without_its_secrets_coming_back(page: Connections, bare: Station) -> None:
    page.add("mine_4hse", "4HSE", *fourhse(bare))
    said = page.test("mine_4hse")
    assert said.startswith(f"Test Connection Successful {visible(bare)}. In the first active one ")
    page.row("mine_4hse").get_by_role("button", name="Edit Connection").click()
    shown = page.section("Extra Fields")
    for secret in ("password", "element_client_secret"):
        assert shown.locator(f"[name={secret}]").input_value() == "***"
        assert shown.locator(f"[name={secret}]").get_attribute("type") == "password"
    assert shown.locator("[name=element_client_id]").input_value() == credentials.CLIENT_ID
    assert not any(secret in page.visit.page.content() for secret in SECRETS)
    page.fill({"description": "the one of the night"}, {})
    assert page.test("mine_4hse") == said, "what is masked is kept when the form is saved"


def test_an_access_token_is_enough_for_4hse(page: Connections, bare: Station) -> None:
    values, _ = fourhse(bare)
    page.add("token_4hse", "4HSE", {"host": values["host"]}, {"access_token": "not-the-token"})
    assert "Access token is wrong or was withdrawn" in page.test("token_4hse")
    page.edit("token_4hse", {}, {"access_token": credentials.ACCESS_TOKEN})
    assert visible(bare) in page.test("token_4hse")


def test_ditio_says_what_is_wrong_until_it_is_right(page: Connections, bare: Station) -> None:
    values, extra = ditio(bare)
    page.add("mine_ditio", "Ditio", {**values, "password": "not-the-secret"}, {})
    assert "Test Connection Failed The connection has no extra 'token_url'" in page.test("mine_ditio")
    page.edit("mine_ditio", {}, extra)
    assert "Client ID or Client secret is wrong: Ditio gave no token" in page.test("mine_ditio")
    page.edit("mine_ditio", {"password": values["password"]}, {"scope": "reportingapiv1"})
    assert "There is no right to read employees" in page.test("mine_ditio")
    page.edit("mine_ditio", {}, {"scope": "ditioapiv3"})
    assert f"Test Connection Successful {readable(bare)}" in page.test("mine_ditio")


@pytest.mark.parametrize(
    ("kind", "labels", "hidden"),
    [
        ("4HSE", ["Host", "Login", "Password", "Token URL", "Client ID", "Client secret", "Scope", "Access token"], ["port", "schema"]),
        ("Ditio", ["Host", "Client ID", "Client secret", "Token URL", "Scope"], ["port", "schema"]),
    ],
)  # fmt: skip
def test_the_form_asks_for_what_the_connection_needs(
    page: Connections, kind: str, labels: list[str], hidden: list[str]
) -> None:
    page.open()
    page.visit.page.get_by_role("button", name="Add Connection").first.click()
    page.form.get_by_role("combobox").fill(kind)
    page.visit.page.get_by_role("option", name=kind, exact=True).click()
    page.form.get_by_role("button", name="Extra Fields", exact=True).wait_for()
    asked = page.form.locator("label").all_text_contents()
    general = ["Connection ID *", "Connection Type *", "Description"]
    assert [text.strip() for text in asked if text.strip() not in general] == labels
    for name in hidden:
        assert page.form.locator(f"[name={name}]").count() == 0
