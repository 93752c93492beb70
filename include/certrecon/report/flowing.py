"""The control totals as a flow, from 4HSE's count to what Ditio holds; drawn from the very numbers of the totals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from certrecon.report.model import Control, DatasetTotal, Flow, FlowEdge, FlowNode
from certrecon.words import Disposition

_SENT: Final = {
    "delivered now": Disposition.DELIVERED,
    "planned": Disposition.PLANNED,
    "rejected": Disposition.REJECTED,
    "undelivered": Disposition.UNDELIVERED,
    "refused": Disposition.REFUSED,
    "not settled": Disposition.PLANNED,
}
_DECIDED: Final = (Disposition.NOT_APPLICABLE, Disposition.BLOCKED, Disposition.HELD, Disposition.SUPERSEDED)

Step = tuple[FlowNode, str | None, str | None]
"""A box, the key of the box before it that it comes from, and that of the box after it that it goes into."""


def _read(total: DatasetTotal) -> Iterator[Step]:
    if total.vendor_total is not None:
        yield FlowNode("vendor", "certificates that 4HSE counts", total.vendor_total, 0, "vendor"), None, None
    source = None if total.vendor_total is None else "vendor"
    yield FlowNode("read", "certificates read", total.rows, 1, "read"), source, "claims"
    dropped = {
        "of another tenant": total.foreign_rows,
        "read twice": total.duplicate_rows,
        "without an id": total.without_id,
    }
    for name, count in dropped.items():
        yield FlowNode(name, name, count, 1, "dropped"), source, None


def _decided(controls: Mapping[str, Control], dispositions: Mapping[Disposition, int]) -> Iterator[Step]:
    further = controls["Certificates to claims"].parts["for further types of the same certificates"]
    yield FlowNode("further", "further types of the same", further, 1, "read"), None, "claims"
    yield FlowNode("claims", "claims", controls["Claims to dispositions"].total, 2, "claims"), None, None
    for name in _DECIDED:
        node = FlowNode(name.value, name.value.replace("_", " "), dispositions[name], 3, "disposition", name.value)
        yield node, "claims", None
    unchanged = controls["Delivered"].parts["unchanged since an earlier run"]
    node = FlowNode("unchanged", "delivered, unchanged", unchanged, 3, "disposition", Disposition.DELIVERED.value)
    yield node, "claims", "ledger"
    to_send = controls["Rows to send"]
    yield FlowNode("to_send", "rows to send", to_send.total, 3, "sent"), "claims", None
    for part, count in to_send.parts.items():
        target = "ledger" if part == "delivered now" else None
        yield FlowNode(f"sent {part}", part, count, 4, "sent", _SENT[part].value), "to_send", target


def _held(control: Control | None) -> Iterator[Step]:
    if control is None:
        return
    for name, count in control.parts.items():
        if name != "delivered":
            yield FlowNode(f"ledger {name}", name, count, 4, "dropped"), None, "ledger"
    yield FlowNode("ledger", "acknowledged by Ditio", control.total, 5, "ledger"), None, None


def _drawn(steps: list[Step]) -> Flow:
    nodes = {node.key: node for node, _, _ in steps if node.count}
    edges = []
    for node, source, target in steps:
        if node.count:
            edges += [FlowEdge(source, node.key, node.count)] if source in nodes else []
            edges += [FlowEdge(node.key, target, node.count)] if target in nodes else []
    ordered = sorted(nodes.values(), key=lambda node: node.column)
    return Flow(tuple(ordered), tuple(FlowEdge(str(one.source), str(one.target), one.count) for one in edges))


def flow_of(
    reading: tuple[DatasetTotal, ...], controls: tuple[Control, ...], dispositions: Mapping[Disposition, int]
) -> Flow:
    """Return the totals as a flow; empty where the run did not come to deciding.

    Args:
        reading: What was read, a row a dataset.
        controls: The totals, by their names.
        dispositions: Claims by disposition.
    """
    named = {control.name: control for control in controls}
    certificates = next((total for total in reading if total.dataset == "certificates"), None)
    if certificates is None or "Claims to dispositions" not in named:
        return Flow()
    return _drawn([*_read(certificates), *_decided(named, dispositions), *_held(named.get("Ledger to claims"))])
