"""Makes the frame of claims: one row a certificate and certificate type (design, *From certificates to claims*)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.dates import (
    LAST_DAY,
    Bools,
    DateState,
    DayNumbers,
    Days,
    Ints,
    add_years,
    day_number,
    parse_days,
)
from certrecon.claims.expiry import (
    Expiries,
    ExpirySource,
    GoverningExpiries,
    certificate_expiries,
    govern,
    link_expiries,
)
from certrecon.claims.facts import CLAIM_FACTS
from certrecon.claims.inputs import ClaimInputs
from certrecon.claims.persons import Births, PersonFacts, person_facts
from certrecon.claims.types import NO_RULE, RuleColumns, first_rule
from certrecon.errors import IncompleteReadError
from certrecon.settings import Settings, TypeRule
from certrecon.text import fold_key, trimmed_column
from certrecon.words import PERSON, NoExpiry

PLAUSIBLE_YEARS = 50
"""Longest plausible validity in calendar years (design, `DATE_IMPLAUSIBLE` and *Fine print*)."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a run and the links that tie to no certificate.

    Attributes:
        facts: Schema `CLAIM_FACTS`, ordered by certificate id and certificate type.
        dangling: Schema `LINKS`: links whose certificate is not there.
    """

    facts: pa.Table
    dangling: pa.Table


@dataclass(frozen=True, slots=True)
class _Links:
    """Links that have a certificate: its row, the rule that matches, the claim they belong to."""

    table: pa.Table
    certificate: Ints
    rule: Ints
    claim: Ints


@dataclass(frozen=True, slots=True)
class _Grain:
    """The claims: the certificate of each, the first rule of its type, whether a link stands behind it.

    `unlinked_rule` is the very rule that named an unlinked claim's type, `NO_RULE` for linked claims.
    """

    certificate: Ints
    rule: Ints
    linked: Bools
    unlinked_rule: Ints


def _column(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks()


def _present(table: pa.Table, name: str) -> pa.Array:
    """Return a string column with blank values as null."""
    column = _column(table, name)
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), pa.scalar(None, pa.string()), column)


def _refuse_doubled(certificates: pa.Table) -> None:
    ids = _column(certificates, "certificate_id")
    counts = pc.value_counts(ids)
    doubled = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(doubled):
        message = (
            f"Certificate {doubled.field('values')[0]} and {len(doubled) - 1} more were read in two tenants at once: "
            "they moved while they were read. Run again."
        )
        raise IncompleteReadError(message)


def _canonical_rules(rules: tuple[TypeRule, ...]) -> Ints:
    """Return for each rule the first rule of the same certificate type; the last entry stands for no rule."""
    first: dict[str, int] = {}
    canonical = [first.setdefault(rule.certificate_type, index) for index, rule in enumerate(rules)]
    return np.array([*canonical, NO_RULE], np.int64)


def _link_rules(links: pa.Table, certificate: Ints, certificates: pa.Table, rules: tuple[TypeRule, ...]) -> Ints:
    names = _column(certificates, "name").take(pa.array(certificate))
    columns = RuleColumns(
        _column(links, "action_code"), _column(links, "action_name"), names, _column(links, "action_type")
    )
    return first_rule(rules, columns, unlinked=False)


def _unlinked_rules(certificates: pa.Table, rows: Ints, rules: tuple[TypeRule, ...]) -> Ints:
    nothing = pa.nulls(len(rows), pa.string())
    taken = certificates.take(pa.array(rows))
    columns = RuleColumns(nothing, nothing, _column(taken, "name"), _column(taken, "action_type"))
    return first_rule(rules, columns, unlinked=True)


def _grain(certificates: pa.Table, joined: pa.Table, certificate: Ints, rules: tuple[TypeRule, ...]) -> tuple[_Grain, _Links]:
    """Make one claim of each certificate and distinct type, and say which links stand behind it."""
    canonical = _canonical_rules(rules)
    link_rule = _link_rules(joined, certificate, certificates, rules)
    width = len(rules) + 1
    keys, claim = np.unique(certificate * width + canonical[link_rule] + 1, return_inverse=True)
    has_link = np.zeros(certificates.num_rows, np.bool_)
    has_link[certificate] = True
    bare = np.flatnonzero(~has_link)
    bare_rule = _unlinked_rules(certificates, bare, rules)
    grain = _Grain(
        certificate=np.concatenate([keys // width, bare]),
        rule=np.concatenate([keys % width - 1, canonical[bare_rule]]),
        linked=np.arange(len(keys) + len(bare)) < len(keys),
        unlinked_rule=np.concatenate([np.full(len(keys), NO_RULE), bare_rule]),
    )
    return grain, _Links(joined, certificate, link_rule, claim.astype(np.int64))


def _any_link(links: _Links, condition: Bools, claims: int) -> Bools:
    return np.bincount(links.claim, weights=condition, minlength=claims) > 0


def _differs(left: pa.Array, right: pa.Array) -> Bools:
    """Return where two string columns differ; a null differs from a text, not from a null."""
    return np.asarray(pc.not_equal(pc.fill_null(left, ""), pc.fill_null(right, "")))


def _unpublished(action_types: pa.Array, settings: Settings) -> Bools:
    published = pa.array([str(name) for name in settings.publish_action_types], pa.string())
    return ~np.asarray(pc.is_in(action_types, value_set=published, skip_nulls=True))


def _with_sentinel(expiries: Expiries, settings: Settings) -> Expiries:
    if settings.no_expiry is not NoExpiry.SENTINEL:
        return expiries
    missing = expiries.days.state == DateState.MISSING
    sentinel = Days(
        np.full(len(missing), DateState.VALID, np.int8),
        np.full(len(missing), day_number(settings.no_expiry_date), np.int32),
    )
    source = np.where(missing, np.int8(ExpirySource.SENTINEL), expiries.source)
    return Expiries(expiries.days.otherwise(sentinel), source)


def _claim_expiries(grain: _Grain, links: _Links, own: Expiries, received: pa.Array) -> GoverningExpiries:
    """Return each claim's expiry: the governing one of its links, or an unlinked certificate's own."""
    claims = len(grain.certificate)
    of_links = link_expiries(_column(links.table, "date_expire"), own.take(links.certificate))
    texts = np.asarray(pc.fill_null(received.dictionary_encode().indices.cast(pa.int64()), -1)) + 1
    governed = govern(of_links, texts, links.claim, claims)
    unlinked = own.take(grain.certificate)
    state, day, source = (
        np.where(grain.linked, linked_value, own_value)
        for linked_value, own_value in (
            (governed.expiries.days.state, unlinked.days.state),
            (governed.expiries.days.day, unlinked.days.day),
            (governed.expiries.source, unlinked.source),
        )
    )
    return GoverningExpiries(Expiries(Days(state, day), source), governed.link, governed.disagrees)


def _link_texts(links: _Links, certificates: pa.Table) -> pa.Array:
    """Return the text behind each link's expiry: its own, else its certificate's."""
    own = _column(certificates, "date_expire").take(pa.array(links.certificate))
    return pc.coalesce(_present(links.table, "date_expire"), own)


def _claim_texts(grain: _Grain, governing: GoverningExpiries, of_links: pa.Array, certificates: pa.Table) -> pa.Array:
    """Return the text behind each claim's expiry: of the link that governs it, else of its certificate."""
    of_link = of_links.take(pa.array(governing.link, mask=governing.link < 0))
    own = _column(certificates, "date_expire").take(pa.array(grain.certificate))
    return pc.if_else(pa.array(governing.link >= 0), of_link, own)


def _max_years(grain: _Grain, links: _Links, rules: tuple[TypeRule, ...]) -> Ints:
    """Return the longest plausible validity of each claim, the strictest rule behind it counting."""
    limits = [min(rule.max_validity_years or PLAUSIBLE_YEARS, PLAUSIBLE_YEARS) for rule in rules]
    of_rule = np.array([*limits, PLAUSIBLE_YEARS], np.int64)
    years = of_rule[grain.unlinked_rule]
    np.minimum.at(years, links.claim, of_rule[links.rule])
    return years


def _latest_plausible(issued: Days, source: Ints, years: Ints) -> DayNumbers:
    latest = np.minimum(add_years(issued.day, years), LAST_DAY)
    unlimited = ~issued.valid | (source == ExpirySource.SENTINEL)
    return np.where(unlimited, LAST_DAY, latest).astype(np.int32)


def _date_facts(grain: _Grain, links: _Links, certificates: pa.Table, settings: Settings) -> dict[str, pa.Array]:
    issued_of_certificate = parse_days(_column(certificates, "date_release"))
    own = certificate_expiries(
        issued_of_certificate,
        *(_column(certificates, name) for name in ("date_expire", "validity", "validity_unit")),
    )
    of_links = _link_texts(links, certificates)
    governing = _claim_expiries(grain, links, own, of_links)
    issued = issued_of_certificate.take(grain.certificate)
    expiries = _with_sentinel(governing.expiries, settings)
    years = _max_years(grain, links, settings.certificate_types)
    return {
        "issued_received": _column(certificates, "date_release").take(pa.array(grain.certificate)),
        "expiry_received": _claim_texts(grain, governing, of_links, certificates),
        "issued_state": pa.array(issued.state),
        "issued_day": pa.array(issued.day),
        "expiry_state": pa.array(expiries.days.state),
        "expiry_day": pa.array(expiries.days.day),
        "expiry_missing": pa.array(governing.expiries.days.state == DateState.MISSING),
        "expiry_source": pa.array(expiries.source),
        "latest_plausible_day": pa.array(_latest_plausible(issued, expiries.source, years)),
        "expiry_disagrees": pa.array(governing.disagrees),
    }


def _in_tenant(table: pa.Table, tenant: str, name: str) -> pa.Array:
    """Return one text a row that stands for an id within its tenant; null where the id is missing."""
    return pc.binary_join_element_wise(_column(table, tenant), _column(table, name), "\x1f")


def _certificate_rows(links: pa.Table, certificates: pa.Table) -> pa.Array:
    """Return each link's certificate, a row of its own tenant; null for dangling links.

    What a limited run makes of a tenant must not depend on which others it reads.
    """
    among = _in_tenant(certificates, "tenant_id", "certificate_id")
    return pc.index_in(_in_tenant(links, "tenant_id", "certificate_id"), value_set=among, skip_nulls=True)


def _person_rows(certificates: pa.Table, persons: pa.Table) -> Ints:
    """Return each certificate's person: the row with its tenant and `resource_id`, -1 without one."""
    among = _in_tenant(persons, "project_id", "person_id")
    found = pc.index_in(_in_tenant(certificates, "tenant_id", "resource_id"), value_set=among, skip_nulls=True)
    return np.asarray(pc.fill_null(found.cast(pa.int64()), -1))


def _padded(values: Bools) -> Bools:
    """Return `values` with a false one that position -1, nobody, takes."""
    return np.append(values, False)  # noqa: FBT003


def _match_facts(person: Ints, persons: pa.Table, facts: PersonFacts) -> dict[str, pa.Array]:
    nobody = pa.array(person, mask=person < 0)
    return {
        "person_id": _column(persons, "person_id").take(nobody),
        "person_name": facts.full.take(nobody),
        "given_name": facts.given.take(nobody),
        "family_name": facts.family.take(nobody),
        "employee_number": facts.number.take(nobody),
        "ditio_employee_number": facts.ditio_number.take(nobody),
        "person_known": pa.array(person >= 0),
        "historicised": pa.array(_padded(facts.historicised)[person]),
        "number_known": pc.is_valid(facts.number.take(nobody)),
        "number_shared": pa.array(_padded(facts.shared)[person]),
        "employees": pa.array(np.append(facts.employees, 0)[person].astype(np.int32)),
        "inactive": pa.array(_padded(facts.inactive)[person]),
        "names_agree": pa.array(np.append(facts.names_agree, True)[person]),  # noqa: FBT003 - nobody disagrees
        "births": pa.array(np.append(facts.births, np.int8(Births.UNKNOWN))[person]),
        "number_reused": pa.array(_padded(facts.reused)[person]),
    }


def _drifting_types(ledger: pa.Table, settings: Settings) -> list[str]:
    """Return the settings' types that the target knows in an earlier spelling (`TYPE_SPELLING_DRIFT`)."""
    acknowledged = ledger.filter(pc.is_valid(ledger.column("acknowledged_payload_sha256")))
    first = acknowledged.group_by("certificate_type").aggregate([("first_acknowledged_at", "min")])
    since = dict(zip(first["certificate_type"].to_pylist(), first["first_acknowledged_at_min"].to_pylist(), strict=True))
    types = {rule.certificate_type for rule in settings.certificate_types}
    return [
        name
        for name in sorted(types)
        if any(
            known != name and fold_key(known) == fold_key(name) and (name not in since or since[known] < since[name])
            for known in since
        )
    ]


def _link_facts(grain: _Grain, links: _Links, inputs: ClaimInputs, person: Ints) -> dict[str, pa.Array]:
    certificates, settings, claims = inputs.certificates, inputs.settings.settings, len(grain.certificate)
    own_type = _column(certificates, "action_type")
    link_type = _column(links.table, "action_type")
    resource = _present(certificates, "resource_type")
    is_person = np.asarray(pc.if_else(pc.is_null(resource), pa.array(person >= 0), pc.equal(resource, PERSON)))
    some_published = _any_link(links, ~_unpublished(link_type, settings), claims)
    published = ~_unpublished(own_type, settings)[grain.certificate] & (some_published | ~grain.linked)
    warned = pc.equal(pc.utf8_trim_whitespace(_column(certificates, "warning")), "1")
    return {
        "linked": pa.array(grain.linked),
        "is_person": pa.array(is_person[grain.certificate]),
        "published": pa.array(published),
        "applicable": pa.array(is_person[grain.certificate] & published),
        "action_type_disagrees": pa.array(
            _any_link(links, _differs(link_type, own_type.take(pa.array(links.certificate))), claims)
        ),
        "source_warning": pa.array(np.asarray(pc.fill_null(warned, False))[grain.certificate]),
    }


def _type_facts(grain: _Grain, inputs: ClaimInputs) -> dict[str, pa.Array]:
    settings = inputs.settings.settings
    names = pa.array([rule.certificate_type for rule in settings.certificate_types], pa.string())
    types = names.take(pa.array(grain.rule, mask=grain.rule < 0))
    drifting = pa.array(_drifting_types(inputs.ledger, settings), pa.string())
    return {
        "certificate_type": types,
        "typed": pa.array(grain.rule >= 0),
        "spelling_drift": pc.is_in(types, value_set=drifting, skip_nulls=True),
    }


def _identity(grain: _Grain, certificates: pa.Table) -> dict[str, pa.Array]:
    rows = pa.array(grain.certificate)
    names = {"name": "certificate_name"}
    columns = ("certificate_id", "tenant_id", "name", "action_type", "resource_type", "resource_id")
    return {names.get(name, name): _column(certificates, name).take(rows) for name in columns} | {
        "certificate": rows.cast(pa.int32())
    }


def build_claims(inputs: ClaimInputs) -> Claims:
    """Make the claims of a run with every fact that rules ask about.

    Raises:
        IncompleteReadError: A certificate was read in two tenants.
    """
    certificates = inputs.certificates
    _refuse_doubled(certificates)
    found = _certificate_rows(inputs.links, certificates)
    there = pc.is_valid(found)
    joined = inputs.links.filter(there).combine_chunks()
    certificate = np.asarray(found.filter(there).cast(pa.int64()))
    grain, links = _grain(certificates, joined, certificate, inputs.settings.settings.certificate_types)
    all_persons = _person_rows(certificates, inputs.persons)
    own_type = _present(certificates, "resource_type")
    person = np.where(np.asarray(pc.fill_null(pc.equal(own_type, PERSON), True)), all_persons, -1)
    columns = (
        _identity(grain, certificates)
        | _type_facts(grain, inputs)
        | _date_facts(grain, links, certificates, inputs.settings.settings)
        | _match_facts(person[grain.certificate], inputs.persons, person_facts(inputs))
        | _link_facts(grain, links, inputs, all_persons)
    )
    facts = pa.table([columns[field.name] for field in CLAIM_FACTS], schema=CLAIM_FACTS)
    ordered = facts.sort_by([("certificate_id", "ascending"), ("certificate_type", "ascending")])
    return Claims(ordered, inputs.links.filter(pc.invert(there)))
