"""The claims a certificate yields (From certificates to claims, 1 and 2), before they are judged."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.oracle.dates import Dates
from tests.oracle.text import is_true, text, trimmed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oracle.sources import Employee, Sources
    from tests.oracle.world import Row

NO_DATES = Dates(None, None, frozenset())
NOT_APPLICABLE = {"RESOURCE_NOT_PERSON", "ACTION_TYPE_NOT_PUBLISHED"}


@dataclass
class Draft:
    """A claim in the making; `links` are those of its type only."""

    tenant: str
    certificate_id: str
    certificate: Row
    links: list[Row]
    certificate_type: str | None
    longest_years: set[int]
    findings: set[str] = field(default_factory=set)
    dates: Dates = NO_DATES
    person: Row | None = None
    number: str | None = None
    employee: Employee | None = None
    disposition: str = ""
    payload: dict[str, str] | None = None

    @property
    def linked(self) -> bool:
        """Whether the certificate has at least one link."""
        return bool(self.links)

    @property
    def applicable(self) -> bool:
        """Whether the claim could be published at all."""
        return not self.findings & NOT_APPLICABLE

    @property
    def eligible(self) -> bool:
        """Whether the claim competes for its employee number and type."""
        return self.disposition not in {"not_applicable", "blocked", "held"}


def drafts_of(sources: Sources, settings: Row) -> Iterator[Draft]:
    """Every claim of the run with its findings on links and types."""
    for tenant, certificates in sources.certificates.items():
        for certificate_id, certificate in certificates.items():
            links = sources.links_of(tenant, certificate_id)
            for draft in _split(tenant, certificate_id, certificate, links, settings["certificate_types"]):
                draft.findings |= _findings(draft, sources.persons[tenant], settings)
                yield draft


def _split(tenant: str, certificate_id: str, certificate: Row, links: list[Row], rules: list[Row]) -> list[Draft]:
    if not links:
        rule = _rule_unlinked(rules, certificate)
        return [Draft(tenant, certificate_id, certificate, [], _type(rule), _limit(rule))]
    claims: dict[str | None, Draft] = {}
    for link in links:
        rule = _rule_linked(rules, certificate, link)
        new = Draft(tenant, certificate_id, certificate, [], _type(rule), set())
        draft = claims.setdefault(_type(rule), new)
        draft.links.append(link)
        draft.longest_years |= _limit(rule)
    return list(claims.values())


def _type(rule: Row | None) -> str | None:
    return None if rule is None else str(rule["certificate_type"])


def _limit(rule: Row | None) -> set[int]:
    return set() if rule is None or rule["max_validity_years"] is None else {int(rule["max_validity_years"])}


def _rule_linked(rules: list[Row], certificate: Row, link: Row) -> Row | None:
    for rule in rules:
        code = text(link.get("action_code"))
        if rule["action_code"] and (code is None or code.strip() not in rule["action_code"]):
            continue
        if not _found(rule["action_name"], link.get("action_name")):
            continue
        if _fits(rule, certificate, link.get("action_type")):
            return rule
    return None


def _rule_unlinked(rules: list[Row], certificate: Row) -> Row | None:
    for rule in rules:
        by_link = rule["action_code"] or rule["action_name"]
        if not by_link and _fits(rule, certificate, certificate.get("action_type")):
            return rule
    return None


def _fits(rule: Row, certificate: Row, action_type: object) -> bool:
    if rule["action_type"] and (action_type is None or text(action_type) not in rule["action_type"]):
        return False
    return _found(rule["certificate_name"], certificate.get("name"))


def _found(pattern: object, value: object) -> bool:
    received = text(value)
    return not isinstance(pattern, re.Pattern) or (received is not None and bool(pattern.search(received)))


def _findings(draft: Draft, persons: dict[str, Row], settings: Row) -> set[str]:
    published = {text(action_type) for action_type in settings["publish_action_types"]}
    own = text(draft.certificate.get("action_type"))
    of_links = [text(link.get("action_type")) for link in draft.links]
    found = set()
    if not _is_person(draft.certificate, persons):
        found.add("RESOURCE_NOT_PERSON")
    if own not in published or (draft.linked and not published & set(of_links)):
        found.add("ACTION_TYPE_NOT_PUBLISHED")
    if any(of_link != own for of_link in of_links):
        found.add("ACTION_TYPE_DISAGREES")
    if not draft.linked:
        found.add("ACTION_LINK_MISSING")
    if is_true(draft.certificate.get("warning")):
        found.add("SOURCE_WARNING")
    if draft.linked and draft.certificate_type is None and not found & NOT_APPLICABLE:
        found.add("TYPE_UNMAPPED")
    return found


def _is_person(certificate: Row, persons: dict[str, Row]) -> bool:
    if trimmed(certificate.get("resource_type")) is None:
        return text(certificate.get("resource_id")) in persons
    return text(certificate.get("resource_type")) == "PERSON"
