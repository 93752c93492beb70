"""The expiry of links and of claims (design, *From certificates to claims*, 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from certrecon.claims.coded import Bools, Coded
from certrecon.claims.dates import DateState, Days, Ints, add_validity, parse_days, parse_positive

_LATER_THAN_ALL = np.iinfo(np.int32).max


class ExpirySource(IntEnum):
    """Where an expiry comes from."""

    NONE = 0
    LINK = 1
    CERTIFICATE = 2
    VALIDITY = 3
    SENTINEL = 4


@dataclass(frozen=True, slots=True)
class Expiries:
    """Expiries of certificates, links or claims.

    Attributes:
        days: The expiry.
        source: `ExpirySource` of each, `int8`.
    """

    days: Days
    source: npt.NDArray[np.int8]

    def take(self, positions: Ints) -> Expiries:
        """Return the rows at `positions`, none of which may be -1."""
        return Expiries(self.days.take(positions), self.source[positions])


def _sourced(days: Days, source: ExpirySource) -> npt.NDArray[np.int8]:
    return np.where(days.state == DateState.MISSING, ExpirySource.NONE, source).astype(np.int8)


def _otherwise(first: Expiries, second: Expiries) -> Expiries:
    missing = first.days.state == DateState.MISSING
    return Expiries(first.days.otherwise(second.days), np.where(missing, second.source, first.source))


def certificate_expiries(issued: Days, date_expire: Coded, validity: Coded, unit: Coded) -> Expiries:
    """Return each certificate's own expiry: its `date_expire`, else issue date plus validity, else none."""
    own = parse_days(date_expire)
    source = _sourced(own, ExpirySource.CERTIFICATE)
    rows = np.flatnonzero(own.state == DateState.MISSING)
    counts = np.append(parse_positive(validity.texts), 0)[validity.codes[rows]]
    derived = add_validity(issued.take(rows), counts, unit.take(rows))
    state, day = own.state.copy(), own.day.copy()
    state[rows], day[rows], source[rows] = derived.state, derived.day, _sourced(derived, ExpirySource.VALIDITY)
    return Expiries(Days(state, day), source)


def link_expiries(date_expire: Coded, of_certificates: Expiries) -> Expiries:
    """Return each link's expiry: its own `date_expire`, else its certificate's (same row)."""
    own = parse_days(date_expire)
    return _otherwise(Expiries(own, _sourced(own, ExpirySource.LINK)), of_certificates)


@dataclass(frozen=True, slots=True)
class GoverningExpiries:
    """The expiry of each claim, and which link gave it.

    Attributes:
        expiries: The governing expiry of each claim.
        link: Position of a link that gave it (-1 = none has an expiry).
        disagrees: Whether the claim's links give different expiries.
    """

    expiries: Expiries
    link: Ints
    disagrees: Bools


def govern(links: Expiries, received: Ints, claim: Ints, claims: int) -> GoverningExpiries:
    """Let the earliest expiry govern each claim; one malformed among them governs before all.

    Args:
        links: Expiry of each link.
        received: A number for the text behind each link's expiry: equal texts, equal numbers. It settles which
            of several malformed ones is named, so that the vendor's order of rows does not.
        claim: The claim of each link.
        claims: How many claims there are.
    """
    link = np.full(claims, -1, np.int64)
    link[claim] = np.arange(len(claim))
    several = np.flatnonzero((np.bincount(claim, minlength=claims) > 1)[claim])
    _earliest(links.take(several), received[several], claim[several], several, link)
    expiries = Expiries(links.days.take(link), np.append(links.source, np.int8(0))[link])
    none = expiries.days.state == DateState.MISSING
    return GoverningExpiries(expiries, np.where(none, -1, link), _disagreeing(links, received, claim, claims))


def _earliest(links: Expiries, received: Ints, claim: Ints, rows: Ints, link: Ints) -> None:
    """Write the governing link of each claim with several into `link`; `rows` is where each of `links` stands."""
    state, day = links.days.state, links.days.day
    order = np.lexsort(
        (received, links.source, np.where(links.days.valid, day, _LATER_THAN_ALL), state != DateState.INVALID, claim)
    )
    present, first = np.unique(claim[order], return_index=True)
    link[present] = rows[order[first]]


def _disagreeing(links: Expiries, received: Ints, claim: Ints, claims: int) -> Bools:
    """Return which claims have links with different expiries; what is malformed differs by its text."""
    given = links.days.state != DateState.MISSING
    value = np.where(links.days.valid, links.days.day.astype(np.int64), _LATER_THAN_ALL + received)[given]
    lowest = np.full(claims, np.iinfo(np.int64).max)
    highest = np.full(claims, np.iinfo(np.int64).min)
    np.minimum.at(lowest, claim[given], value)
    np.maximum.at(highest, claim[given], value)
    return lowest < highest
