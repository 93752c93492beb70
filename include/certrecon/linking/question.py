"""What a person is asked before certificates are linked: the list in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from certrecon.linking.looking import Looked
from certrecon.linking.plan import IN_WORDS, Candidate, LinkPlan
from certrecon.linking.seeing import SeenAction, SeenCertificate
from certrecon.publishing.question import Question, markdown_table, shown
from certrecon.settings import Settings

NOT_SHOWN: Final = "not shown (HEALTH)"
_MOST_LEFT_OUT: Final = 50
_ID_SIGNS: Final = 80


def make_question(looked: Looked, settings: Settings, starter: str | None) -> Question:
    """Put what would be linked into words.

    Args:
        looked: What was seen; all values of the vendor come out as plain text.
        settings: Decide what the types and the action type mean.
        starter: Who started the run and therefore may not approve it, None where anybody may.
    """
    plan, action = looked.plan, looked.action
    rows = len(plan.candidates)
    subject = f"Link {rows:,} {'certificate' if rows == 1 else 'certificates'} in 4HSE? They wait for an answer"
    parts = (
        _opening(plan, action),
        _published(action, settings),
        _certificates(looked),
        _left_out(plan),
        _ends(plan, settings.linking.timeout_hours, starter),
    )
    return Question(subject, "\n\n".join(part for part in parts if part))


def _name_of(action: SeenAction) -> str:
    if action.name is None and action.code is None:
        return NOT_SHOWN
    return " ".join(shown(part) for part in (action.code, action.name) if part)


def _opening(plan: LinkPlan, action: SeenAction) -> str:
    opening = (
        f"Nothing was written yet. **{len(plan.candidates):,}** CertificateActions would be created in 4HSE. From then "
        "on each of these certificates counts for the action:"
    )
    lines = [
        opening,
        "",
        f"- action: {_name_of(action)}",
        f"- its id: {shown(action.action_id, _ID_SIGNS)}",
        f"- its type: {shown(action.action_type)}",
        f"- 4HSE project: {shown(action.tenant_id, _ID_SIGNS)}",
    ]
    return "\n".join(lines)


def _published(action: SeenAction, settings: Settings) -> str:
    published = {str(one) for one in settings.publish_action_types}
    if action.action_type in published:
        return ""
    return f"Action type {shown(action.action_type)} is not in publish\\_action\\_types: none of them goes to Ditio."


def _certificates(looked: Looked) -> str:
    head = ("Certificate", "Person", "Name", "Issued", "Link expires", "Type in Ditio")
    pairs = zip(looked.certificates, looked.plan.candidates, strict=True)
    rows = [_row(certificate, candidate, looked.plan) for certificate, candidate in pairs]
    return f"### The certificates\n\n{markdown_table(head, rows)}"


def _row(certificate: SeenCertificate, candidate: Candidate, plan: LinkPlan) -> Sequence[str]:
    own = certificate.date_expire or "none of its own"
    expires = own if plan.date_expire is None else plan.date_expire.isoformat()
    hidden = NOT_SHOWN if certificate.is_health else ""
    return (
        shown(certificate.certificate_id, _ID_SIGNS),
        shown(certificate.resource_name) or hidden,
        shown(certificate.name) or hidden,
        shown(certificate.date_release),
        shown(expires),
        shown(candidate.certificate_type) if candidate.certificate_type else "no rule maps this action",
    )


def _left_out(plan: LinkPlan) -> str:
    if not plan.left_out:
        return ""
    rows = [(shown(one.certificate_id, _ID_SIGNS), IN_WORDS[one.why]) for one in plan.left_out[:_MOST_LEFT_OUT]]
    more = len(plan.left_out) - len(rows)
    note = f"\n\n... and {more:,} more" if more else ""
    return f"### Left out\n\n{markdown_table(('Certificate', 'Why it is not linked'), rows)}{note}"


def _ends(plan: LinkPlan, hours: float, starter: str | None) -> str:
    approve = f"- **Approve** creates exactly these links (SHA-256 `{plan.sha256}`) and no other."
    lines = [
        "### What your answer does",
        "",
        f"{approve} A certificate that changes in 4HSE until then is left out.",
        "- **Refuse** writes nothing.",
        f"- Without an answer within {hours:g} hours it counts as refused.",
    ]
    if starter is not None:
        lines.append(f"- {shown(starter)} started the run and cannot approve it: another person has to.")
    lines.append("- Your name, the time and your reason go on the record.")
    return "\n".join(lines)
