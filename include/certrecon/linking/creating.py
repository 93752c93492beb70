"""Creating the approved links: each looked for before it is created, and again after an unclear answer.

The id of each link is chosen beforehand and is the same in every try. So a process that was killed, an answer
that was lost and a task that is tried again end with one link a certificate.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Engine

from certrecon.api.fourhse_api.links import CertificateActionRow, NewCertificateAction
from certrecon.errors import (
    CredentialsError,
    LinksRefusedError,
    LinksUnfinishedError,
    PassingError,
    RequestRefusedError,
    SourceError,
    UnknownOutcomeError,
)
from certrecon.linking.plan import IN_WORDS, Candidate, LinkPlan, Why
from certrecon.linking.seeing import Sight
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.linkings import CreatedLink, add_created_link, read_created_links
from certrecon.words import Confirmed

log = logging.getLogger(__name__)

TRIES = 3
PAUSE_SECONDS = 2.0
_NAMED = 10


class Outcome(StrEnum):
    """What came of one certificate."""

    CREATED = "created"
    EARLIER = "created_earlier"
    ALREADY = "linked_already"
    CHANGED = "changed"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    NOT_TRIED = "not_tried"


_GOOD = frozenset({Outcome.CREATED, Outcome.EARLIER, Outcome.ALREADY})


@dataclass(frozen=True, slots=True)
class One:
    """One certificate's outcome.

    Attributes:
        certificate_id: The certificate.
        outcome: What came of it.
        said: Why, where it was not linked.
    """

    certificate_id: str
    outcome: Outcome
    said: str | None = None


@dataclass(slots=True)
class Creating:
    """Creates the links of one approved plan.

    Attributes:
        sight: 4HSE.
        engine: The warehouse.
        run_id: Airflow's id of the run.
        plan: What was approved.
        linking_id: The record of the approval.
        pause: Seconds before a link is looked for after an unclear answer.
    """

    sight: Sight
    engine: Engine
    run_id: str
    plan: LinkPlan
    linking_id: int
    pause: float = PAUSE_SECONDS
    _stopped: bool = field(default=False, init=False)

    async def create_all(self) -> list[One]:
        """Create what is not there yet, one after the other, and return what came of each.

        Raises:
            LinksRefusedError: The action is not what was approved any more; nothing was created.
        """
        await self._require_action()
        with transaction(self.engine) as conn:
            known = {one.certificate_id for one in read_created_links(conn, self.linking_id)}
        found = []
        for candidate in self.plan.candidates:
            if candidate.certificate_id in known:
                # On the record once is once for good: who deleted it in 4HSE meant it.
                found.append(One(candidate.certificate_id, Outcome.EARLIER))
            elif self._stopped:
                found.append(One(candidate.certificate_id, Outcome.NOT_TRIED))
            else:
                found.append(await self._one(candidate))
        return found

    async def _require_action(self) -> None:
        action = await self.sight.action(self.plan.action_id)
        if action.sha256 != self.plan.action_sha256:
            message = (
                f"The action {self.plan.action_id} was changed in 4HSE after somebody was asked, so nothing was linked "
                "now. Start the run again."
            )
            raise LinksRefusedError(message)

    async def _one(self, candidate: Candidate) -> One:
        try:
            return await self._try(candidate)
        except CredentialsError as error:
            self._stopped = True
            return One(candidate.certificate_id, Outcome.REFUSED, str(error))
        except (PassingError, SourceError) as error:
            self._stopped = True
            return One(candidate.certificate_id, Outcome.UNCLEAR, str(error))

    async def _try(self, candidate: Candidate) -> One:
        certificate_id, said = candidate.certificate_id, ""
        for attempt in range(TRIES):
            there = await self._already_there(certificate_id, asked=attempt > 0)
            if there is not None:
                return there
            certificate = await self.sight.certificate(certificate_id)
            if certificate is None or certificate.sha256 != candidate.seen_sha256:
                return One(certificate_id, Outcome.CHANGED, IN_WORDS[Why.CHANGED if certificate else Why.NOT_FOUND])
            try:
                row = await self.sight.records.certificate_actions.create(self._new(certificate_id))
            except UnknownOutcomeError as error:
                said = str(error)
                log.warning("Certificate %s: %s", certificate_id, said)
                await asyncio.sleep(self.pause)
            except RequestRefusedError as error:
                # "Already taken" is what 4HSE says of a link whose creation only lost its answer.
                there = await self._already_there(certificate_id, asked=attempt > 0)
                return there or One(certificate_id, Outcome.REFUSED, str(error))
            else:
                return self._record(certificate_id, row, Confirmed.ANSWER)
        return await self._already_there(certificate_id, asked=True) or One(certificate_id, Outcome.UNCLEAR, said)

    def _new(self, certificate_id: str) -> NewCertificateAction:
        return NewCertificateAction(
            certificate_action_id=self.plan.link_id(self.run_id, certificate_id),
            certificate_id=certificate_id,
            action_id=self.plan.action_id,
            tenant_id=self.plan.tenant_id,
            date_expire=self.plan.date_expire,
        )

    async def _already_there(self, certificate_id: str, *, asked: bool) -> One | None:
        """Return what links that are there say of a certificate, None where it has none.

        Args:
            certificate_id: The certificate.
            asked: Whether this process asked 4HSE to create the link: one under another id is then taken for ours.
        """
        links = await self.sight.links(certificate_id)
        ours = self.plan.link_id(self.run_id, certificate_id)
        same = [link for link in links if link.action_id == self.plan.action_id]
        mine = next((link for link in same if link.certificate_action_id == ours), None)
        if mine is None and asked and same:
            mine = same[0]
        if mine is not None:
            return self._record(certificate_id, mine, Confirmed.READING)
        if same:
            return One(certificate_id, Outcome.ALREADY)
        return One(certificate_id, Outcome.CHANGED, IN_WORDS[Why.LINKED_OTHERWISE]) if links else None

    def _record(self, certificate_id: str, row: CertificateActionRow, how: Confirmed) -> One:
        """Put a link on the record before the next one is created."""
        link_id = row.certificate_action_id or self.plan.link_id(self.run_id, certificate_id)
        link = CreatedLink(self.linking_id, certificate_id, link_id, self.plan.tenant_id, how)
        with transaction(self.engine) as conn:
            add_created_link(conn, link)
        log.info("Certificate %s: link %s, known by its %s", certificate_id, link_id, how)
        return One(certificate_id, Outcome.CREATED)


def require_linked(found: Sequence[One]) -> None:
    """Return if every certificate is linked.

    Raises:
        LinksUnfinishedError: Some are in doubt, or were not tried because 4HSE was not available.
        LinksRefusedError: Some were refused, or changed after somebody was asked.
    """
    bad = [one for one in found if one.outcome not in _GOOD]
    if not bad:
        return
    kinds = {one.outcome for one in bad}
    message = _message(found, bad)
    if Outcome.UNCLEAR in kinds:
        raise LinksUnfinishedError(f"{message} The next try looks first what is there, and goes on.")
    raise LinksRefusedError(f"{message} Start a new run for what is to be linked all the same.")


def _message(found: Sequence[One], bad: Sequence[One]) -> str:
    named = "; ".join(map(_named, bad[:_NAMED]))
    more = f"; and {len(bad) - _NAMED:,} more" if len(bad) > _NAMED else ""
    return f"{len(found) - len(bad):,} of {len(found):,} certificates are linked. Not linked: {named}{more}."


def _named(one: One) -> str:
    name = f"{one.certificate_id} ({one.outcome})"
    return f"{name}: {one.said.rstrip('.')}" if one.said else name
