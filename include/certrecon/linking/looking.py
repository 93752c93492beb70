"""What would be linked: each certificate held against the action, and the type that its link would give it."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from certrecon.api.fourhse import FourHseClient
from certrecon.api.fourhse_api.links import CertificateActionRow
from certrecon.api.value_kinds import is_day
from certrecon.claims.types import NO_RULE, RuleColumns, first_rule
from certrecon.errors import ParameterError
from certrecon.linking.parameters import LinkParameters
from certrecon.linking.plan import IN_WORDS, Candidate, LeftOut, LinkPlan, Why
from certrecon.linking.seeing import SeenAction, SeenCertificate, Sight
from certrecon.settings import Settings
from certrecon.words import ActionType

log = logging.getLogger(__name__)

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Looked:
    """What there was to see.

    Attributes:
        plan: What would be linked, without names.
        action: The action.
        certificates: The certificates of the plan's candidates, in their order; they have names.
    """

    plan: LinkPlan
    action: SeenAction
    certificates: tuple[SeenCertificate, ...]


def sight_of(client: FourHseClient, settings: Settings) -> Sight:
    """Return 4HSE as a run with these settings may see it."""
    return Sight(client, publish_health=ActionType.HEALTH in settings.publish_action_types)


async def look(sight: Sight, parameters: LinkParameters, settings: Settings) -> Looked:
    """Read the certificates, their links and the action, and return what would be linked.

    Raises:
        ParameterError: There is no such action, there are several of its code, or its project is none of the
            settings'.
    """
    pairs = await _see_all(sight, parameters.certificate_ids)
    action = await _action(sight, parameters, [certificate for certificate, _ in pairs])
    if settings.tenants and action.tenant_id not in settings.tenants:
        message = (
            f"Action {action.action_id} belongs to the 4HSE project {action.tenant_id}, which is none of the settings' "
            "tenants. No run would read what was linked there."
        )
        raise ParameterError(message)
    seen, left_out = [], []
    for certificate_id, (certificate, links) in zip(parameters.certificate_ids, pairs, strict=True):
        why = objection(certificate, links, action, parameters.date_expire)
        if why is None and certificate is not None:
            seen.append(certificate)
        else:
            left_out.append(LeftOut(certificate_id, why or Why.NOT_FOUND))
    candidates = _candidates(seen, action, settings)
    plan = LinkPlan(
        action.action_id, action.tenant_id, action.sha256, parameters.date_expire, candidates, tuple(left_out)
    )
    _tell(plan)
    return Looked(plan, action, tuple(seen))


async def _action(
    sight: Sight, parameters: LinkParameters, certificates: Sequence[SeenCertificate | None]
) -> SeenAction:
    if parameters.action_id is not None:
        return await sight.action(parameters.action_id)
    projects = {one.tenant_id for one in certificates if one is not None and one.tenant_id is not None}
    if not projects:
        named = ", ".join(parameters.certificate_ids[:_NAMED])
        raise ParameterError(f"4HSE has none of the certificates (such as {named}), so no action was looked for.")
    return await sight.action_of_code(parameters.action_code or "", sorted(projects))


async def _see_all(
    sight: Sight, certificate_ids: Sequence[str]
) -> list[tuple[SeenCertificate | None, list[CertificateActionRow]]]:
    tasks = [asyncio.ensure_future(_see(sight, one)) for one in certificate_ids]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _see(sight: Sight, certificate_id: str) -> tuple[SeenCertificate | None, list[CertificateActionRow]]:
    certificate = await sight.certificate(certificate_id)
    return (None, []) if certificate is None else (certificate, await sight.links(certificate_id))


def objection(
    certificate: SeenCertificate | None,
    links: Sequence[CertificateActionRow],
    action: SeenAction,
    date_expire: dt.date | None,
) -> Why | None:
    """Return why a certificate is not to be linked to an action, None where it is.

    Where it must err it leaves out: nobody is made qualified by a guess.
    """
    if certificate is None:
        return Why.NOT_FOUND
    if certificate.tenant_id != action.tenant_id:
        return Why.OTHER_PROJECT
    if any(link.action_id == action.action_id for link in links):
        return Why.LINKED_ALREADY
    if links:
        return Why.LINKED_OTHERWISE
    if certificate.action_type is None or certificate.action_type != action.action_type:
        return Why.ACTION_TYPE_DISAGREES
    return _expiry_objection(certificate.date_expire, date_expire)


def _expiry_objection(own: str | None, wanted: dt.date | None) -> Why | None:
    """A link may expire before its certificate does, and not after it."""
    text = (own or "").strip()
    if wanted is None or not text:
        return None
    if not is_day(text):
        return Why.EXPIRY_UNREADABLE
    return Why.EXPIRES_EARLIER if dt.date.fromisoformat(text) < wanted else None


def _candidates(seen: Sequence[SeenCertificate], action: SeenAction, settings: Settings) -> tuple[Candidate, ...]:
    types = resulting_types([one.name for one in seen], action, settings)
    return tuple(Candidate(one.certificate_id, kind, one.sha256) for one, kind in zip(seen, types, strict=True))


def resulting_types(names: Sequence[str | None], action: SeenAction, settings: Settings) -> list[str | None]:
    """Return the certificate type of a link to the action, by certificate name; None = no rule maps it.

    Rule: design, *From certificates to claims*, 2, as for every link that a run reads.
    """
    rows = len(names)

    def repeated(value: str | None) -> pa.Array:
        return pa.array([value] * rows, pa.string())

    columns = RuleColumns(
        action_code=repeated(action.code),
        action_name=repeated(action.name),
        certificate_name=pa.array(names, pa.string()),
        action_type=repeated(action.action_type),
    )
    rules = settings.certificate_types
    chosen = first_rule(rules, columns, unlinked=False).tolist()
    return [None if index == NO_RULE else rules[index].certificate_type for index in chosen]


def _tell(plan: LinkPlan) -> None:
    log.info(
        "%s certificates can be linked to action %s, %s are left out",
        len(plan.candidates), plan.action_id, len(plan.left_out),
    )  # fmt: skip
    for one in plan.left_out:
        log.info("Left out: certificate %s: %s", one.certificate_id, IN_WORDS[one.why])


def require_some(plan: LinkPlan) -> None:
    """Return if there is something to link, or nothing is left to do because all is linked already.

    Raises:
        ParameterError: Nothing can be linked; the message has the reasons.
    """
    problems = [one for one in plan.left_out if one.why is not Why.LINKED_ALREADY]
    if plan.candidates or not problems:
        return
    counted = Counter(one.why for one in problems)
    reasons = "; ".join(f"{count} times: {IN_WORDS[why]}" for why, count in counted.items())
    named = ", ".join(one.certificate_id for one in problems[:_NAMED])
    message = f"None of the certificates can be linked to action {plan.action_id}: {reasons} (such as {named})."
    raise ParameterError(message)
