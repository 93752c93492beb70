"""Takes the pictures of README and docs anew, on a real Airflow with the sandbox behind it: `make pictures`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, FloatRect, Page

from tests.browser import chromium
from tests.browser.asking import ASKERS, Api, prolong, settings_of
from tests.browser.nights import SandboxControl, change_what_was_delivered, must_end_well
from tests.browser.station import Station, running_station
from tests.browser.visit import DAG, WIDE, Visit, frame, made, visiting
from tests.e2e.quickstart import Checkout

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
RUN: Final = 2
TALL: Final = {"width": 1200, "height": 2050}
GRAPH: Final = {"width": 3000, "height": 700}
MARGIN: Final = 16
SETTLING: Final = 1_500
"""Milliseconds until charts and Airflow's own animations stand still."""

Size = Mapping[str, int]


def two_nights(checkout: Checkout, sandbox: SandboxControl) -> None:
    """Deliver, let 4HSE and Ditio change, and deliver again."""
    must_end_well(checkout, {})
    change_what_was_delivered(sandbox)
    must_end_well(checkout, {"resend": True})


@dataclass(frozen=True)
class Camera:
    """Somebody with a browser in front of Airflow.

    Attributes:
        browser: The browser.
        station: Airflow.
        user: Who looks.
    """

    browser: Browser
    station: Station
    user: str

    def take(self, name: str, show: Callable[[Visit], object], size: Size = WIDE, part: str | None = None) -> None:
        """Take a picture of what `show` leaves in a window of some size, or of what lies around some elements."""
        with visiting(self.browser, self.station, viewport=dict(size)) as visit:
            visit.log_in(self.user)
            show(visit)
            visit.page.wait_for_timeout(SETTLING)
            clip = None if part is None else around(visit.page, part)
            visit.page.screenshot(path=IMAGES / f"{name}.png", clip=clip)
        sys.stdout.write(f"docs/images/{name}.png\n")


def around(page: Page, selector: str) -> FloatRect:
    """Return the least part of a page that holds all elements of a selector, with a margin."""
    boxes = [box for one in page.locator(selector).all() if (box := one.bounding_box()) is not None]
    left, top = (min(box[side] for box in boxes) - MARGIN for side in ("x", "y"))
    right = max(box["x"] + box["width"] for box in boxes) + MARGIN
    bottom = max(box["y"] + box["height"] for box in boxes) + MARGIN
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def in_airflow(name: str) -> Callable[[Visit], None]:
    """Return how to open one of our pages within Airflow's own window."""

    def show(visit: Visit) -> None:
        visit.page.goto(f"{visit.station.url}/plugin/reconciliation")
        inside = frame(visit.page)
        inside.get_by_role("link", name=name, exact=True).click()
        inside.get_by_role("heading", level=1).wait_for()

    return show


def report(visit: Visit) -> None:
    """Open the sealed report of a run by itself."""
    visit.open(f"/runs/{RUN}/report")


def links_to_make(visit: Visit) -> None:
    """Tick certificates without a link on the worklist, and name the action."""
    visit.open("/worklist?finding=ACTION_LINK_MISSING")
    boxes = visit.page.locator("input[form=linking]")
    for number in range(min(3, boxes.count())):
        boxes.nth(number).check()
    visit.page.get_by_role("button", name="Link the ticked certificates").click()
    visit.page.locator("input[name=action_code]").fill("BYGG")


def addresses(visit: Visit) -> None:
    """Make an address for 4HSE's webhooks."""
    made(visit.open("/webhooks"))


def question(run: str) -> Callable[[Visit], None]:
    """Return how to open what a run asks."""

    def show(visit: Visit) -> None:
        visit.page.goto(f"{visit.station.url}/dags/{DAG}/runs/{run}/tasks/approve/required_actions")
        visit.page.get_by_role("button", name="Approve").wait_for()

    return show


def connection(visit: Visit) -> None:
    """Open Airflow's form for a new connection to 4HSE."""
    visit.page.goto(f"{visit.station.url}/connections")
    visit.page.get_by_role("button", name="Add Connection").first.click()
    form = visit.page.get_by_role("dialog")
    form.get_by_role("combobox").fill("4HSE")
    visit.page.get_by_role("option", name="4HSE", exact=True).click()
    for section in ("Standard Fields", "Extra Fields"):
        button = form.get_by_role("button", name=section, exact=True)
        if button.get_attribute("aria-expanded") != "true":
            button.click()


def graph(run: str) -> Callable[[Visit], None]:
    """Return how to open the graph of a run."""

    def show(visit: Visit) -> None:
        visit.page.goto(f"{visit.station.url}/dags/{DAG}/runs/{run}")
        visit.page.get_by_label("Show Graph").or_(visit.page.get_by_role("button", name="Graph")).first.click()
        visit.page.locator(".react-flow__node").first.wait_for()

    return show


def main() -> None:
    """Take every picture; exits with a sentence where there is no browser."""
    program = chromium.find_chromium()
    if program is None:
        sys.exit(chromium.INSTALL)
    with running_station(two_nights, ASKERS) as station, chromium.running_browser(program) as browser:
        settings_of(station, enabled="true")
        camera = Camera(browser, station, "olga")
        camera.take("report", report, TALL)
        for name, page in {"runs": "Runs", "worklist": "Worklist", "search": "Search"}.items():
            camera.take(name, in_airflow(page))
        camera.take("linking", links_to_make)
        camera.take("webhooks", addresses)
        camera.take("connection", connection)
        api = Api(station, "olga")
        api.unpause()
        prolong(station, "2031-05-05")
        run = api.trigger()
        api.wait_for_the_question(run)
        camera.take("approval", question(run))
        Api(station, "anna").answer(run, "Approve", "Renewals of the spring courses.").raise_for_status()
        api.wait_for_the_end(run)
        camera.take("dag-graph", graph(run), GRAPH, ".react-flow__node")


if __name__ == "__main__":
    main()
