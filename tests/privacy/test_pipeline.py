"""The pipeline among canaries: nothing of them in logs, exceptions, evidence, warehouse and reports, whatever is answered.

Every form of error at every endpoint, with every logger at DEBUG; and what succeeds in between.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from certrecon.api.endpoint import AccessToken, FourHseEndpoint
from tests.contract.pipeline import Night, Pipeline
from tests.privacy import places
from tests.privacy.bodies import DITIO_SHAPES, FOURHSE_SHAPES, SHARED
from tests.privacy.canaries import Aviary, Kind
from tests.privacy.places import Place, PlaceKind
from tests.privacy.planted import DAY, planted_world
from tests.privacy.search import Hit, Search, told
from tests.privacy.vendors import DITIO, FOURHSE, CanaryServer
from tests.privacy.watching import Arguments, everything_logged

MakePipeline = Callable[..., Pipeline]


@dataclass
class Watched:
    """Nights that are watched.

    Attributes:
        pipeline: What runs them.
        log: What every logger said.
        errors: What tasks raised, by night and task.
    """

    pipeline: Pipeline
    log: Path
    errors: list[tuple[str, BaseException]]
    arguments: Arguments

    def night(self, name: str, **conf: Any) -> Night:
        """Run a night and keep what it raised, in its first task too."""
        night = self.pipeline.night(DAY, **conf)
        try:
            night.run()
        except Exception as error:  # noqa: BLE001 - whatever it is, its words are searched
            self.errors.append((f"{name}, open", error))
        self.errors += [(f"{name}, {task}", error) for task, error in night.errors.items()]
        return night

    def places(self) -> Iterator[Place]:
        """Yield everything that the nights left behind."""
        yield Place("log", PlaceKind.LOG, self.log.read_bytes())
        yield Place("arguments of processes", PlaceKind.ARGUMENTS, b"\n".join(self.arguments.seen))
        for name, error in self.errors:
            yield places.exception(name, error)
        yield from places.files(self.pipeline.folder / "evidence")
        yield from places.warehouse(self.pipeline.engine)


@contextlib.contextmanager
def watched(pipeline: Pipeline) -> Iterator[Watched]:
    """Watch nights: every logger at DEBUG, every process's arguments."""
    log = pipeline.folder / "everything.log"
    with everything_logged(log), Arguments() as arguments:
        yield Watched(pipeline, log, [], arguments)


Searched = Callable[[Watched], tuple[Search, list[Hit]]]


@pytest.fixture
def searched(birds: Aviary, figures: list[str], request: pytest.FixtureRequest) -> Searched:
    """A function that searches everything that nights left behind."""

    def look(nights: Watched) -> tuple[Search, list[Hit]]:
        search = Search(birds)
        hits = search.look(nights.places())
        figures.append(f"{request.node.name}: {search.figures(len(hits))}")
        return search, hits

    return look


def test_a_night_that_succeeds(
    vendors: CanaryServer, birds: Aviary, pipeline_of: MakePipeline, searched: Searched
) -> None:
    world = planted_world(birds)
    vendors.speak_of(world)
    with watched(pipeline_of(world.settings)) as nights:
        night = nights.night("success")
        nights.night("unchanged")
    assert night.status == "succeeded_with_rejects", night.failure
    assert night.errors == {}
    search, hits = searched(nights)
    assert hits == [], told(hits)
    seen = {place for kind, place in search.found if kind is Kind.CONTROL}
    assert seen >= {PlaceKind.INPUTS, PlaceKind.OUTCOME, PlaceKind.REPORT, PlaceKind.WAREHOUSE}
    assert search.found[Kind.BIRTH_DATE, PlaceKind.INPUTS] > 0, "rules compare birth dates"
    assert search.found[Kind.FIELD, PlaceKind.MANIFEST] > 0, "undocumented fields are named"


def test_health_published_on_purpose_has_names_and_nothing_else(
    vendors: CanaryServer, birds: Aviary, pipeline_of: MakePipeline, searched: Searched
) -> None:
    world = planted_world(birds, publish_action_types=["TRAINING", "HEALTH"])
    vendors.speak_of(world)
    with watched(pipeline_of(world.settings)) as nights:
        night = nights.night("HEALTH on purpose")
    assert night.errors == {}
    search, hits = searched(nights)
    others = [hit for hit in hits if hit.canary is None or hit.canary.kind is not Kind.HEALTH_NAME]
    assert others == [], told(others)
    assert search.found[Kind.HEALTH_NAME, PlaceKind.WAREHOUSE] > 0
    assert search.found[Kind.HEALTH_NAME, PlaceKind.LOG] == 0


@pytest.mark.parametrize("endpoint", [*FOURHSE, *DITIO])
def test_every_form_of_error_at_every_endpoint(
    endpoint: str, vendors: CanaryServer, birds: Aviary, pipeline_of: MakePipeline, searched: Searched
) -> None:
    world = planted_world(birds)
    vendors.speak_of(world)
    shapes = SHARED + (FOURHSE_SHAPES if endpoint in FOURHSE else DITIO_SHAPES)
    endings: Counter[str] = Counter()
    with watched(pipeline_of(world.settings)) as nights:
        for shape in shapes:
            vendors.interferences = {endpoint: shape.answer}
            night = nights.night(shape.name, resend=True)
            assert vendors.interfered > 0, f"{shape.name} was never answered"
            vendors.interfered = 0
            endings[night.status] += 1
    assert endings["failed"] >= len(shapes) // 2, endings
    search, hits = searched(nights)
    if endpoint == "fourhse.view":
        # Where 4HSE says that the certificate is gone, nobody can know that it was about HEALTH.
        hits = [hit for hit in hits if not (hit.canary and "whose HEALTH certificate has moved" in hit.canary.where)]
    assert hits == [], told(hits)
    assert search.places[PlaceKind.EXCEPTION] >= endings["failed"]


def test_the_query_key_in_every_form_of_error(
    vendors: CanaryServer, birds: Aviary, pipeline_of: MakePipeline, searched: Searched
) -> None:
    world = planted_world(birds)
    vendors.speak_of(world)
    with watched(pipeline_of(world.settings, static=True)) as nights:
        for shape in SHARED + FOURHSE_SHAPES:
            vendors.interferences = {"fourhse.certificate": shape.answer}
            assert nights.night(shape.name).status == "failed", shape.name
    _, hits = searched(nights)
    assert hits == [], told(hits)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "nowhere.invalid"])
def test_a_connection_that_fails_shows_no_query_key(
    host: str, vendors: CanaryServer, birds: Aviary, pipeline_of: MakePipeline, searched: Searched
) -> None:
    pipeline = pipeline_of(planted_world(birds).settings)
    pipeline.fourhse = FourHseEndpoint(f"http://{host}", AccessToken(vendors.api_key), allow_http=True)
    with watched(pipeline) as nights:
        night = nights.night("no connection")
    assert host in night.failure
    _, hits = searched(nights)
    assert hits == [], told(hits)
