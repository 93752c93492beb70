"""Reading created links back from 4HSE, and having their certificates taken through the pipeline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from certrecon.api.fourhse_api.links import CertificateActionRow
from certrecon.errors import LinkDiffersError
from certrecon.linking.plan import LinkPlan
from certrecon.linking.seeing import Sight
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.hints import Hint, add_hints
from certrecon.warehouse.linkings import CreatedLink, read_created_links
from certrecon.words import ChangeEvent, HintSource

_NAMED = 10


async def read_back(sight: Sight, plan: LinkPlan, created: Sequence[CreatedLink]) -> int:
    """Look at every created link in 4HSE and return how many there are.

    Raises:
        LinkDiffersError: One is gone, or is not as it was created; the message names it.
    """
    wrong = []
    for one in created:
        row = await sight.records.certificate_actions.view(one.certificate_action_id)
        said = difference(row, one, plan)
        if said is not None:
            wrong.append(f"link {one.certificate_action_id} of certificate {one.certificate_id} {said}")
    if wrong:
        more = f"; and {len(wrong) - _NAMED:,} more" if len(wrong) > _NAMED else ""
        message = (
            f"{len(wrong):,} of {len(created):,} created links are not in 4HSE as they were created: "
            f"{'; '.join(wrong[:_NAMED])}{more}. Look at them in 4HSE."
        )
        raise LinkDiffersError(message)
    return len(created)


def difference(row: CertificateActionRow | None, created: CreatedLink, plan: LinkPlan) -> str | None:
    """Return in what a link differs from the one that was created, None where it does not."""
    if row is None:
        return "is gone"
    wanted = {"certificate_id": created.certificate_id, "action_id": plan.action_id, "tenant_id": plan.tenant_id}
    wrong = [name for name, value in wanted.items() if getattr(row, name) != value]
    if _other_expiry(row, plan.date_expire):
        wrong.append("date_expire")
    return f"has another {', '.join(wrong)}" if wrong else None


def _other_expiry(row: CertificateActionRow, wanted: dt.date | None) -> bool:
    if wanted is None:
        return row.is_date_inherited == 0
    return row.date_expire != wanted.isoformat()


def links_of(engine: Engine, linking_id: int) -> Sequence[CreatedLink]:
    """Return the links that an approved question led to."""
    with transaction(engine) as conn:
        return read_created_links(conn, linking_id)


def hint_at(conn: Connection, created: Sequence[CreatedLink]) -> int:
    """Store a hint for each created link, so that a run takes its certificate through the pipeline."""
    return add_hints(
        conn,
        (
            Hint(ChangeEvent.LINK_CREATE, one.certificate_action_id, (one.certificate_id,), HintSource.LINKING)
            for one in created
        ),
    )
