"""Tasks of `link_certificates`: look, ask a person, create links in 4HSE, read them back, have them looked at."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from certrecon_plugin.operators.approving import AskingOperator
from certrecon_plugin.operators.base import StageOperator, result_of
from certrecon_plugin.operators.concluding import failures_of
from certrecon_plugin.resources import warehouse
from certrecon_plugin.telling.assets import CREATED_ALIAS, LINKED_ALIAS, LINKS, TENANT_ENTITIES, created, linked
from certrecon_plugin.telling.tell import tell_of_links

if TYPE_CHECKING:
    from airflow.sdk import Context
    from sqlalchemy import Engine

    from certrecon.linking.creating import One
    from certrecon.linking.looking import Looked
    from certrecon.linking.parameters import LinkingRun
    from certrecon.linking.plan import LinkPlan
    from certrecon.linking.seeing import Sight
    from certrecon.settings import Settings
    from certrecon.stages.approval import Answer, Waiting
    from certrecon.words import Answered

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class LinkTask(StrEnum):
    """The tasks of `link_certificates`, in their order."""

    CHECK = "check"
    LOOK = "look"
    ASK = "ask"
    LINK = "link"
    READ_BACK = "read_back"
    HINT = "hint"
    FINISH = "finish"


def settings_of() -> Settings:
    """Return the settings, which must still allow writing to 4HSE.

    Raises:
        SettingsError: They do not.
    """
    from certrecon.linking.parameters import require_enabled
    from certrecon.settings import load_settings

    settings = load_settings().settings
    require_enabled(settings.linking)
    return settings


def linking_run_of(context: Context) -> LinkingRun:
    """Return the run as the first task checked it."""
    from certrecon.linking.parameters import LinkingRun

    return LinkingRun.from_json(result_of(context, LinkTask.CHECK))


def plan_of(context: Context) -> LinkPlan:
    """Return what would be linked.

    Raises:
        AirflowSkipException: The run failed before that was known.
    """
    from certrecon.linking.plan import LinkPlan

    values = result_of(context, LinkTask.LOOK)
    if values is None:
        message = "Nothing was looked at, so nothing was linked"
        raise AirflowSkipException(message)
    return LinkPlan.from_json(values)


def approval_of(engine: Engine, context: Context) -> int | None:
    """Return the record of the approval of this run's plan, None where nobody approved it."""
    from certrecon.linking.deciding import approval_about

    return approval_about(engine, linking_run_of(context), plan_of(context))


def in_fourhse(settings: Settings, work: Callable[[Sight], Coroutine[Any, Any, Result]]) -> Result:
    """Run work on 4HSE, at the rate of the settings, and return its result."""
    from certrecon.api.loop import run
    from certrecon.linking.looking import sight_of
    from certrecon_plugin.hooks.fourhse import FourHseHook

    async def open_and_work() -> Result:
        rate = settings.fourhse
        hook = FourHseHook()
        async with hook.client(concurrency=rate.concurrency, requests_per_second=rate.requests_per_second) as client:
            return await work(sight_of(client, settings))

    return run(open_and_work())


class CheckOperator(StageOperator):
    """Checks settings, parameters, connection and warehouse before anything is read."""

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return the run.

        Raises:
            SettingsError: The settings do not allow writing to 4HSE.
            ParameterError: A parameter is unknown or wrong.
        """
        from certrecon.linking.parameters import LinkingRun, parse_link_parameters
        from certrecon.warehouse.migrate import require_head
        from certrecon_plugin.hooks.fourhse import FourHseHook

        settings, dag_run = settings_of(), context["dag_run"]
        parameters = parse_link_parameters(dag_run.conf, dict(context["params"]), settings.linking)
        FourHseHook().endpoint()
        with warehouse() as engine:
            require_head(engine)
        return LinkingRun(dag_run.run_id, dag_run.triggering_user_name, parameters).to_json()


def _look(context: Context, settings: Settings) -> Looked:
    from certrecon.linking.looking import look

    parameters = linking_run_of(context).parameters
    return in_fourhse(settings, lambda sight: look(sight, parameters, settings))


class LookOperator(StageOperator):
    """Reads certificates, links and action, and says what would be linked."""

    def __init__(self, **kwargs: Any) -> None:
        """Read 4HSE."""
        super().__init__(inlets=list(TENANT_ENTITIES[:2]), **kwargs)

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return the plan, without names."""
        from certrecon.linking.looking import require_some

        plan = _look(context, settings_of()).plan
        require_some(plan)
        for one in plan.candidates:
            log.info("Certificate %s would become: %s", one.certificate_id, one.certificate_type or "no type")
        return plan.to_json()


class AskOperator(AskingOperator):
    """Asks a person whether exactly these certificates are to be linked."""

    def question(self, context: Context) -> Waiting | None:
        """Return the question, with the names as 4HSE shows them now; None in a dry run, or where nobody has to agree.

        Raises:
            LinksRefusedError: What 4HSE shows now is not what the run looked at.
        """
        from certrecon.linking.deciding import needs_answer, question_about

        run, plan, settings = linking_run_of(context), plan_of(context), settings_of()
        with warehouse() as engine:
            if not needs_answer(engine, run, plan):
                return None
        return question_about(_look(context, settings), plan, run, settings)

    def record(self, context: Context, answer: Answer) -> Answered:
        """Put an answer on the record."""
        from certrecon.linking.deciding import record_answer
        from certrecon.settings import load_settings

        with warehouse() as engine:
            return record_answer(engine, linking_run_of(context), plan_of(context), answer, load_settings().settings)

    def tell(self, context: Context, waiting: Waiting) -> None:
        """Tell people that certificates wait to be linked."""
        tell_of_links(context, len(plan_of(context).candidates), waiting)

    def nobody(self) -> None:
        """Refuse to go on.

        Raises:
            ParameterError: Always.
        """
        from certrecon.errors import ParameterError

        message = (
            "A person has to approve what is linked, and nobody can be asked outside the scheduler. Nothing was "
            "written. Start the run in Airflow, or with dry_run."
        )
        raise ParameterError(message)


class LinkOperator(StageOperator):
    """Creates the approved links that are not there yet; `HintOperator` says so, which a failed try cannot."""

    writes = (LINKS,)

    def __init__(self, **kwargs: Any) -> None:
        """Look at certificates and links in 4HSE."""
        super().__init__(inlets=list(TENANT_ENTITIES[:2]), **kwargs)

    def run_stage(self, context: Context) -> dict[str, int]:
        """Return how many certificates there are of each outcome; none where nobody approved.

        Raises:
            LinksRefusedError: Some were not linked.
            LinksUnfinishedError: Some are in doubt.
        """
        from certrecon.linking.creating import Creating, require_linked
        from certrecon.warehouse.sending import only_linker

        run, plan, settings = linking_run_of(context), plan_of(context), settings_of()
        with warehouse() as engine:
            linking_id = approval_of(engine, context)
            if linking_id is None:
                log.info("Nobody approved anything, so nothing is linked")
                return {}

            async def create(sight: Sight) -> list[One]:
                return await Creating(sight, engine, run.run_id, plan, linking_id).create_all()

            with only_linker(engine):
                found = in_fourhse(settings, create)
        counted = Counter(str(one.outcome) for one in found)
        log.info("%s", ", ".join(f"{name} {count}" for name, count in counted.items()))
        require_linked(found)
        return dict(counted)


class ReadBackOperator(StageOperator):
    """Looks at every created link in 4HSE and compares it with what was created."""

    def __init__(self, **kwargs: Any) -> None:
        """Read links in 4HSE."""
        super().__init__(inlets=[LINKS], **kwargs)

    def run_stage(self, context: Context) -> dict[str, int]:
        """Return how many links there are.

        Raises:
            LinkDiffersError: One is not as it was created.
        """
        from certrecon.linking.reading_back import links_of, read_back
        from certrecon.settings import load_settings

        plan = plan_of(context)
        with warehouse() as engine:
            linking_id = approval_of(engine, context)
            created = [] if linking_id is None else links_of(engine, linking_id)
        if not created:
            return {"links": 0}
        settings = load_settings().settings  # whatever they allow by now: what was created is looked at
        return {"links": in_fourhse(settings, lambda sight: read_back(sight, plan, created))}


class HintOperator(StageOperator):
    """Says what was created, and stores a hint for each link, which starts the DAG that takes hints up."""

    def __init__(self, **kwargs: Any) -> None:
        """Produce events of links and of hints."""
        super().__init__(outlets=[CREATED_ALIAS, LINKED_ALIAS], **kwargs)

    def run_stage(self, context: Context) -> dict[str, int]:
        """Return how many hints were stored; what was created gets one whatever failed since."""
        from certrecon.linking.reading_back import hint_at, links_of
        from certrecon.warehouse.engine import transaction

        with warehouse() as engine:
            linking_id = approval_of(engine, context)
            links = [] if linking_id is None else links_of(engine, linking_id)
            with transaction(engine) as conn:
                hints = hint_at(conn, links)
        created(context, len(links))
        linked(context, hints)
        return {"hints": hints}


class FinishOperator(StageOperator):
    """Says what came of the run, then fails it if anything before failed."""

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return decision, counts and ids.

        Raises:
            AirflowFailException: Something before failed.
        """
        from certrecon.linking.deciding import decision_about
        from certrecon.linking.reading_back import links_of

        failures = failures_of(context, LinkTask)
        values = result_of(context, LinkTask.LOOK)
        if values is None:
            raise AirflowFailException(failures[0] if failures else "Nothing was looked at: clear the whole run.")
        run, plan = linking_run_of(context), plan_of(context)
        with warehouse() as engine:
            linking_id = approval_of(engine, context)
            created = [] if linking_id is None else links_of(engine, linking_id)
            decision = decision_about(engine, run, plan)
        summary = {
            "dry_run": run.parameters.dry_run,
            "decision": decision and str(decision),
            "certificates": len(plan.candidates),
            "left_out": dict(Counter(str(one.why) for one in plan.left_out)),
            "links": {one.certificate_id: one.certificate_action_id for one in created},
        }
        log.info("Decision: %s; %s of %s links are on the record", decision, len(created), len(plan.candidates))
        if failures:
            raise AirflowFailException(" ".join(failures))
        return summary
