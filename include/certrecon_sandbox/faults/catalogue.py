"""Every kind of fault by name."""

from __future__ import annotations

from certrecon_sandbox.faults import altered, moving, paging, refusals, wire
from certrecon_sandbox.faults.fault import Fault, FaultError

KINDS: dict[str, type[Fault]] = {
    kind.kind: kind
    for kind in (
        wire.Latency,
        wire.Reset,
        wire.LostAnswer,
        wire.CutBody,
        wire.EndlessBody,
        refusals.Status,
        refusals.RateLimited,
        refusals.Html,
        refusals.Redirect,
        refusals.TokenEnds,
        refusals.DitioRefusal,
        refusals.PartlySaved,
        altered.Truncated,
        altered.DroppedField,
        altered.EmptySuccess,
        altered.DuplicateRow,
        altered.MissingRow,
        altered.ExtraFields,
        altered.Nulls,
        paging.Clamp,
        paging.PageHeaders,
        paging.SamePage,
        paging.EndlessList,
        moving.RowsMove,
    )
}


def kind_of(name: object) -> type[Fault]:
    """Return a kind by its name.

    Raises:
        FaultError: There is none of that name.
    """
    if not isinstance(name, str) or name not in KINDS:
        raise FaultError(f"unknown kind of fault {name!r}; there are {', '.join(KINDS)}")
    return KINDS[name]
