"""Issue date and expiry of every claim, and how long it may plausibly be valid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from certrecon.claims.coded import Coded
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


def _claim_expiries(grain: Grain, links: Links, own: Expiries, received: Coded) -> GoverningExpiries:
    """Return each claim's expiry: the governing one of its links, or an unlinked certificate's own."""
    claims = len(grain.certificate)
    of_links = link_expiries(links.date_expire, own.take(links.certificate))
    governed = govern(of_links, received.ranks(), links.claim, claims)
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


def _link_texts(links: Links, of_certificates: Coded) -> Coded:
    """Return the text behind each link's expiry: its own, else its certificate's."""
    own = links.date_expire.present()
    return own.where(own.codes >= 0, of_certificates.take(links.certificate))


def _claim_texts(grain: Grain, governing: GoverningExpiries, of_links: Coded, of_certificates: Coded) -> Coded:
    """Return the text behind each claim's expiry: of the link that governs it, else of its certificate."""
    return of_links.take(governing.link).where(governing.link >= 0, of_certificates.take(grain.certificate))


def _max_years(grain: Grain, links: Links, rules: tuple[TypeRule, ...]) -> Ints:
    """Return the longest plausible validity of each claim, the strictest rule behind it counting."""
    limits = [min(rule.max_validity_years or PLAUSIBLE_YEARS, PLAUSIBLE_YEARS) for rule in rules]
    of_rule = np.array([*limits, PLAUSIBLE_YEARS], np.int64)
    years = of_rule[grain.unlinked_rule]
    np.minimum.at(years, links.claim, of_rule[links.rule])
    return years


def _latest_plausible(issued: Days, source: npt.NDArray[np.int8], years: Ints) -> DayNumbers:
    pairs, place = np.unique(issued.day.astype(np.int64) * (PLAUSIBLE_YEARS + 1) + years, return_inverse=True)
    distinct = add_years((pairs // (PLAUSIBLE_YEARS + 1)).astype(np.int32), pairs % (PLAUSIBLE_YEARS + 1))
    latest = np.minimum(distinct, LAST_DAY)[place]
    unlimited = ~issued.valid | (source == ExpirySource.SENTINEL)
    return np.where(unlimited, LAST_DAY, latest).astype(np.int32)


def date_facts(grain: Grain, links: Links, certificates: pa.Table, settings: Settings) -> dict[str, pa.Array]:
    """Return the columns of `DATE_FACTS` and the texts behind the two dates."""
    release, expire, validity, unit = (
        Coded.of(certificates[name]) for name in ("date_release", "date_expire", "validity", "validity_unit")
    )
    issued_of_certificate = parse_days(release)
    own = certificate_expiries(issued_of_certificate, expire, validity, unit)
    of_links = _link_texts(links, expire)
    governing = _claim_expiries(grain, links, own, of_links)
    issued = issued_of_certificate.take(grain.certificate)
    expiries = _with_sentinel(governing.expiries, settings)
    years = _max_years(grain, links, settings.certificate_types)
    return {
        "issued_received": release.take(grain.certificate).to_arrow(),
        "expiry_received": _claim_texts(grain, governing, of_links, expire).to_arrow(),
        "issued_state": pa.array(issued.state),
        "issued_day": pa.array(issued.day),
        "expiry_state": pa.array(expiries.days.state),
        "expiry_day": pa.array(expiries.days.day),
        "expiry_missing": pa.array(governing.expiries.days.state == DateState.MISSING),
        "expiry_source": pa.array(expiries.source),
        "latest_plausible_day": pa.array(_latest_plausible(issued, expiries.source, years)),
        "expiry_disagrees": pa.array(governing.disagrees),
    }
