"""The grain: which claims there are, and which links stand behind each.

Design, *From certificates to claims*, 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import Bools, Coded
from certrecon.claims.columns import column
from certrecon.claims.dates import Ints
from certrecon.claims.types import NO_RULE, RuleColumns, first_rule
from certrecon.settings import TypeRule


@dataclass(frozen=True, slots=True)
class Order:
    """Certificates in the order of their ids.

    Attributes:
        rows: The row of each certificate, in that order; one without an id comes last.
        places: The place of each row in that order.
    """

    rows: Ints
    places: Ints

    @classmethod
    def of(cls, ids: pa.Array) -> Order:
        """Order ids."""
        rows = np.asarray(pc.array_sort_indices(ids)).astype(np.int64)
        places = np.empty(len(rows), np.int64)
        places[rows] = np.arange(len(rows))
        return cls(rows, places)


@dataclass(frozen=True, slots=True)
class Links:
    """Links that have a certificate: its row, the rule that matches, the claim they belong to, and their own texts."""

    certificate: Ints
    rule: Ints
    claim: Ints
    action_type: Coded
    date_expire: Coded


@dataclass(frozen=True, slots=True)
class Grain:
    """The claims, ordered by certificate id and certificate type, those without a type last.

    Of each its certificate, the first rule of its type, and whether a link stands behind it.
    `unlinked_rule` is the very rule that named an unlinked claim's type, `NO_RULE` for linked claims.
    """

    certificate: Ints
    rule: Ints
    linked: Bools
    unlinked_rule: Ints


def certificate_rows(links: pa.Table, certificates: pa.Table) -> Ints:
    """Return each link's certificate, a row of its own tenant; -1 for dangling links.

    What a limited run makes of a tenant must not depend on which others it reads.

    Args:
        links: Schema `LINKS`.
        certificates: Schema `CERTIFICATES`, no id twice.
    """
    among = column(certificates, "certificate_id")
    found = pc.index_in(column(links, "certificate_id"), value_set=among, skip_nulls=True)
    rows = np.asarray(pc.fill_null(found, -1)).astype(np.int64)
    ours, theirs = Coded.joined(Coded.of(links["tenant_id"]), Coded.of(certificates["tenant_id"]))
    same = (ours.codes >= 0) & (theirs.take(rows).codes == ours.codes)
    return np.where(same, rows, -1)


def _canonical_rules(rules: tuple[TypeRule, ...]) -> tuple[Ints, Ints]:
    """Return the distinct types in their order, each by the first rule that names it, and each rule's place there.

    The last entry of both stands for no rule.
    """
    first: dict[str, int] = {}
    for index, rule in enumerate(rules):
        first.setdefault(rule.certificate_type, index)
    names = sorted(first)
    places = [names.index(rule.certificate_type) for rule in rules]
    return np.array([*(first[name] for name in names), NO_RULE], np.int64), np.array([*places, len(names)], np.int64)


def _link_rules(
    links: pa.Table, there: Ints, certificate: Ints, certificates: pa.Table, rules: tuple[TypeRule, ...]
) -> Ints:
    code, name, action_type = (
        Coded.of(links[one]).take(there) for one in ("action_code", "action_name", "action_type")
    )
    columns = RuleColumns(code, name, Coded.of(certificates["name"]).take(certificate), action_type)
    return first_rule(rules, columns, unlinked=False)


def _unlinked_rules(certificates: pa.Table, rows: Ints, rules: tuple[TypeRule, ...]) -> Ints:
    nothing = pa.nulls(len(rows), pa.string())
    name, action_type = (Coded.of(certificates[one]).take(rows) for one in ("name", "action_type"))
    return first_rule(rules, RuleColumns(nothing, nothing, name, action_type), unlinked=True)


def make_grain(
    certificates: pa.Table, links: pa.Table, found: Ints, order: Order, rules: tuple[TypeRule, ...]
) -> tuple[Grain, Links]:
    """Make one claim of each certificate and distinct type, and say which links stand behind it.

    Args:
        certificates: Schema `CERTIFICATES`.
        links: Schema `LINKS`.
        found: The certificate of each link, -1 for dangling ones.
        order: The certificates by their ids.
        rules: The settings' rules in their order.
    """
    types, places = _canonical_rules(rules)
    there = np.flatnonzero(found >= 0)
    certificate = found[there]
    link_rule = _link_rules(links, there, certificate, certificates, rules)
    bare = np.flatnonzero(np.bincount(certificate, minlength=certificates.num_rows) == 0)
    bare_rule = _unlinked_rules(certificates, bare, rules)
    place = np.concatenate([places[link_rule], places[bare_rule]])
    of_certificate = order.places[np.concatenate([certificate, bare])]
    keys, claim = np.unique(of_certificate * len(types) + place, return_inverse=True)
    unlinked = claim[len(there) :]
    linked, unlinked_rule = np.ones(len(keys), np.bool_), np.full(len(keys), NO_RULE)
    linked[unlinked], unlinked_rule[unlinked] = False, bare_rule
    grain = Grain(order.rows[keys // len(types)], types[keys % len(types)], linked, unlinked_rule)
    own = (Coded.of(links[name]).take(there) for name in ("action_type", "date_expire"))
    return grain, Links(certificate, link_rule, claim[: len(there)], *own)
