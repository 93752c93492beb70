"""Issue date and expiry of every claim, and how long it may plausibly be valid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.columns import column, present
from certrecon.claims.dates import (
    LAST_DAY,
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
from certrecon.claims.grain import Grain, Links
from certrecon.settings import Settings, TypeRule
from certrecon.words import NoExpiry

PLAUSIBLE_YEARS = 50
"""Longest plausible validity in calendar years (design, `DATE_IMPLAUSIBLE` and *Fine print*)."""


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


def _text_ranks(texts: pa.Array) -> Ints:
    """Return a number for each text that does not depend on the order of rows; null is 0."""
    encoded = texts.dictionary_encode()
    ranks = np.zeros(len(encoded.dictionary) + 1, np.int64)
    ranks[np.asarray(pc.array_sort_indices(encoded.dictionary)).astype(np.int64)] = np.arange(1, len(ranks))
    return np.asarray(ranks[np.asarray(pc.fill_null(encoded.indices.cast(pa.int64()), -1))])


def _claim_expiries(grain: Grain, links: Links, own: Expiries, received: pa.Array) -> GoverningExpiries:
    """Return each claim's expiry: the governing one of its links, or an unlinked certificate's own."""
    claims = len(grain.certificate)
    of_links = link_expiries(column(links.table, "date_expire"), own.take(links.certificate))
    governed = govern(of_links, _text_ranks(received), links.claim, claims)
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


def _link_texts(links: Links, certificates: pa.Table) -> pa.Array:
    """Return the text behind each link's expiry: its own, else its certificate's."""
    own = column(certificates, "date_expire").take(pa.array(links.certificate))
    return pc.coalesce(present(links.table, "date_expire"), own)


def _claim_texts(grain: Grain, governing: GoverningExpiries, of_links: pa.Array, certificates: pa.Table) -> pa.Array:
    """Return the text behind each claim's expiry: of the link that governs it, else of its certificate."""
    of_link = of_links.take(pa.array(governing.link, mask=governing.link < 0))
    own = column(certificates, "date_expire").take(pa.array(grain.certificate))
    return pc.if_else(pa.array(governing.link >= 0), of_link, own)


def _max_years(grain: Grain, links: Links, rules: tuple[TypeRule, ...]) -> Ints:
    """Return the longest plausible validity of each claim, the strictest rule behind it counting."""
    limits = [min(rule.max_validity_years or PLAUSIBLE_YEARS, PLAUSIBLE_YEARS) for rule in rules]
    of_rule = np.array([*limits, PLAUSIBLE_YEARS], np.int64)
    years = of_rule[grain.unlinked_rule]
    np.minimum.at(years, links.claim, of_rule[links.rule])
    return years


def _latest_plausible(issued: Days, source: npt.NDArray[np.int8], years: Ints) -> DayNumbers:
    latest = np.minimum(add_years(issued.day, years), LAST_DAY)
    unlimited = ~issued.valid | (source == ExpirySource.SENTINEL)
    return np.where(unlimited, LAST_DAY, latest).astype(np.int32)


def date_facts(grain: Grain, links: Links, certificates: pa.Table, settings: Settings) -> dict[str, pa.Array]:
    """Return the columns of `DATE_FACTS` and the texts behind the two dates."""
    issued_of_certificate = parse_days(column(certificates, "date_release"))
    own = certificate_expiries(
        issued_of_certificate,
        *(column(certificates, name) for name in ("date_expire", "validity", "validity_unit")),
    )
    of_links = _link_texts(links, certificates)
    governing = _claim_expiries(grain, links, own, of_links)
    issued = issued_of_certificate.take(grain.certificate)
    expiries = _with_sentinel(governing.expiries, settings)
    years = _max_years(grain, links, settings.certificate_types)
    return {
        "issued_received": column(certificates, "date_release").take(pa.array(grain.certificate)),
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
