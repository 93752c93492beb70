"""The grain: which claims there are, and which links stand behind each.

Design, *From certificates to claims*, 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.columns import column, in_tenant
from certrecon.claims.dates import Bools, Ints
from certrecon.claims.types import NO_RULE, RuleColumns, first_rule
from certrecon.settings import TypeRule


@dataclass(frozen=True, slots=True)
class Links:
    """Links that have a certificate: its row, the rule that matches, the claim they belong to."""

    table: pa.Table
    certificate: Ints
    rule: Ints
    claim: Ints


@dataclass(frozen=True, slots=True)
class Grain:
    """The claims: the certificate of each, the first rule of its type, whether a link stands behind it.

    `unlinked_rule` is the very rule that named an unlinked claim's type, `NO_RULE` for linked claims.
    """

    certificate: Ints
    rule: Ints
    linked: Bools
    unlinked_rule: Ints


def certificate_rows(links: pa.Table, certificates: pa.Table) -> pa.Array:
    """Return each link's certificate, a row of its own tenant; null for dangling links.

    What a limited run makes of a tenant must not depend on which others it reads.
    """
    among = in_tenant(certificates, "tenant_id", "certificate_id")
    return pc.index_in(in_tenant(links, "tenant_id", "certificate_id"), value_set=among, skip_nulls=True)


def _canonical_rules(rules: tuple[TypeRule, ...]) -> Ints:
    """Return for each rule the first rule of the same certificate type; the last entry stands for no rule."""
    first: dict[str, int] = {}
    canonical = [first.setdefault(rule.certificate_type, index) for index, rule in enumerate(rules)]
    return np.array([*canonical, NO_RULE], np.int64)


def _link_rules(links: pa.Table, certificate: Ints, certificates: pa.Table, rules: tuple[TypeRule, ...]) -> Ints:
    names = column(certificates, "name").take(pa.array(certificate))
    columns = RuleColumns(
        column(links, "action_code"), column(links, "action_name"), names, column(links, "action_type")
    )
    return first_rule(rules, columns, unlinked=False)


def _unlinked_rules(certificates: pa.Table, rows: Ints, rules: tuple[TypeRule, ...]) -> Ints:
    nothing = pa.nulls(len(rows), pa.string())
    taken = certificates.take(pa.array(rows))
    columns = RuleColumns(nothing, nothing, column(taken, "name"), column(taken, "action_type"))
    return first_rule(rules, columns, unlinked=True)


def make_grain(
    certificates: pa.Table, joined: pa.Table, certificate: Ints, rules: tuple[TypeRule, ...]
) -> tuple[Grain, Links]:
    """Make one claim of each certificate and distinct type, and say which links stand behind it."""
    canonical = _canonical_rules(rules)
    link_rule = _link_rules(joined, certificate, certificates, rules)
    width = len(rules) + 1
    keys, claim = np.unique(certificate * width + canonical[link_rule] + 1, return_inverse=True)
    has_link = np.zeros(certificates.num_rows, np.bool_)
    has_link[certificate] = True
    bare = np.flatnonzero(~has_link)
    bare_rule = _unlinked_rules(certificates, bare, rules)
    grain = Grain(
        certificate=np.concatenate([keys // width, bare]),
        rule=np.concatenate([keys % width - 1, canonical[bare_rule]]),
        linked=np.arange(len(keys) + len(bare)) < len(keys),
        unlinked_rule=np.concatenate([np.full(len(keys), NO_RULE), bare_rule]),
    )
    return grain, Links(joined, certificate, link_rule, claim.astype(np.int64))
