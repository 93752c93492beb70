"""Claims without a certificate type, by kind, with a type that may fit and the settings lines to paste."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from rapidfuzz import fuzz, process

from certrecon.claims.inputs import LINKS
from certrecon.claims.types import NO_RULE, RuleColumns, first_rule
from certrecon.errors import SettingsError
from certrecon.report.ages import AGES, beside, claim_ages
from certrecon.report.model import Excerpt, ReportInputs, UnmappedRow
from certrecon.report.pieces import in_tenant, piece, plain
from certrecon.report.safe import one_line, one_line_table
from certrecon.report.worklist import having
from certrecon.settings.loader import restore_settings
from certrecon.settings.model import MAX_TYPE_LENGTH
from certrecon.text import collapsed, fold_key, trimmed

MOST: Final = 50
"""How many kinds are listed."""

ALIKE: Final = 75.0
"""The least rapidfuzz `ratio` (0 to 100) of folded names at which a known type is suggested."""

_NUMBERS: Final = {"claims": pa.int64()} | {name: pa.int64() for name in AGES.names}
UNMAPPED: Final = pa.schema([(one.name, _NUMBERS.get(one.name, pa.string())) for one in fields(UnmappedRow)])
"""Kinds of claims without type; the columns are the attributes of `UnmappedRow`."""

_KIND: Final = ["certificate_name", "action_code", "action_name", "action_type"]


def _unruled(links: pa.Table, names: pa.Array, inputs: ReportInputs) -> pa.Array:
    """Return which links no rule of the settings maps; all where the settings are not known."""
    everything = pa.array(np.ones(links.num_rows, np.bool_))
    try:
        rules = restore_settings(inputs.head.settings_text).settings.certificate_types
    except (SettingsError, ValueError):
        return everything
    code, action, kind = (links.column(name).combine_chunks() for name in ("action_code", "action_name", "action_type"))
    return pa.array(first_rule(rules, RuleColumns(code, action, names, kind), unlinked=False) == NO_RULE)


def _links_of(claims: pa.Table, inputs: ReportInputs) -> pa.Table:
    """Return the links that may be of some claims: those with an id of theirs."""
    if inputs.links is None:
        return LINKS.empty_table()
    own = pc.is_in(piece(inputs.links, "certificate_id"), value_set=piece(claims, "certificate_id"), skip_nulls=True)
    return plain(inputs.links.filter(own))


def _kinds(claims: pa.Table, inputs: ReportInputs) -> pa.Table:
    """Return name, code, action and ages of each claim without type, once for each link that no rule maps."""
    links = _links_of(claims, inputs)
    among = in_tenant(claims, "tenant_id", "certificate_id")
    place = pc.index_in(in_tenant(links, "tenant_id", "certificate_id"), value_set=among, skip_nulls=True)
    own = (
        beside(links.select(_KIND[1:]), pa.table([place], names=["claim"])).filter(pc.is_valid(place)).combine_chunks()
    )
    names = claims.column("certificate_name").combine_chunks().take(own.column("claim").combine_chunks())
    own = own.filter(_unruled(own, names, inputs)).combine_chunks()
    ages = beside(claims.select(["certificate_name", "action_type"]), claim_ages(claims, inputs))
    rows = own.column("claim").combine_chunks()
    linked = beside(own, ages.drop_columns(["action_type"]).take(rows))
    others = pc.invert(pc.is_in(pa.array(np.arange(claims.num_rows), pa.int32()), value_set=rows.cast(pa.int32())))
    left = beside(ages, pa.table([pa.array(np.arange(claims.num_rows), pa.int32())], names=["claim"])).filter(others)
    for name in ("action_code", "action_name"):
        left = left.append_column(name, pa.nulls(left.num_rows, pa.string()))
    names_of_all = [*_KIND, "claim", *AGES.names]
    return pa.concat_tables([linked.select(names_of_all), left.select(names_of_all)], promote_options="permissive")


def _grouped(claims: pa.Table, inputs: ReportInputs) -> pa.Table:
    kinds = _kinds(claims, inputs)
    wanted = [("claim", "count_distinct"), ("since_run", "min"), ("age_runs", "max"), ("age_days", "max")]
    table = kinds.group_by(_KIND, use_threads=False).aggregate(wanted)
    table = table.rename_columns(
        [name.removesuffix("_count_distinct").removesuffix("_min").removesuffix("_max") for name in table.column_names]
    )
    return table.sort_by([("claim", "descending"), *((name, "ascending") for name in _KIND)])


def _quoted(text: str) -> str:
    """Return a text as YAML in double quotes, on one line."""
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9).strip()


def settings_lines(kind: dict[str, Any], certificate_type: str) -> str:
    """Return the rule that would map claims of a kind, as YAML below `certificate_types:`.

    Args:
        kind: Certificate name, and code and name of the action, any of them None.
        certificate_type: The type that the rule gives.

    Returns:
        The rule on one line; empty where nothing tells the claims apart.
    """
    code = trimmed(kind["action_code"] or "")
    if code:
        return f"- {{certificate_type: {_quoted(certificate_type)}, action_code: [{_quoted(code)}]}}"
    for key in ("certificate_name", "action_name"):
        text = trimmed(kind[key] or "")
        if text:
            pattern = f"(?i)^{re.escape(text)}$"
            return f"- {{certificate_type: {_quoted(certificate_type)}, {key}: {_quoted(pattern)}}}"
    return ""


def suggested_type(kind: dict[str, Any], known: dict[str, str]) -> str | None:
    """Return the known type that is most like a kind's names, at least 75 of 100, else the kind's own name.

    Args:
        kind: Certificate name, and code and name of the action, any of them None.
        known: Types by their folded spelling.
    """
    texts = [one_line(kind[key]) for key in ("action_name", "certificate_name", "action_code") if kind[key]]
    own = [text for text in texts if fold_key(text)]
    best = None
    for text in own:
        found = process.extractOne(fold_key(text), list(known), scorer=fuzz.ratio, score_cutoff=ALIKE)
        if found and (best is None or found[1] > best[1]):
            best = found
    if best:
        return known[best[0]]
    return collapsed(own[0])[:MAX_TYPE_LENGTH].strip() if own else None


def _known(inputs: ReportInputs) -> dict[str, str]:
    """Return the settings' and the ledger's types by their folded spelling; the settings' spelling counts more."""
    delivered: Iterable[str] = ()
    if inputs.ledger is not None:
        delivered = sorted(filter(None, pc.unique(inputs.ledger.column("certificate_type")).to_pylist()))
    known: dict[str, str] = {}
    for name in (*inputs.types, *delivered):
        known.setdefault(fold_key(name), name)
    return known


def unmapped_types(claims: pa.Table, inputs: ReportInputs) -> tuple[pa.Table, Excerpt[UnmappedRow]]:
    """Return the kinds of claims that no rule gives a type, those with most claims first.

    Args:
        claims: Schema `DECIDED`.
        inputs: Links, settings and ledger, and what is known of the runs before.

    Returns:
        At most 50 kinds, schema `UNMAPPED`, and the same as rows with the number of all kinds.
    """
    grouped = _grouped(plain(claims.filter(pa.array(having(claims, ["TYPE_UNMAPPED"])))), inputs)
    known, rows = _known(inputs), []
    for kind in grouped.slice(0, MOST).to_pylist():
        name = suggested_type(kind, known)
        # The same new type in two spellings could not both be pasted.
        name = known.setdefault(fold_key(name), name) if name else None
        lines = settings_lines(kind, name) if name else ""
        rows.append(kind | {"claims": kind["claim"], "suggested_type": name, "settings_lines": lines})
    chosen = [{name: row[name] for name in UNMAPPED.names} for row in rows]
    table = pa.Table.from_pylist(chosen, schema=UNMAPPED)
    shown = tuple(UnmappedRow(**row) for row in one_line_table(table).to_pylist())
    return table, Excerpt(grouped.num_rows, shown, "with no more claims each")
