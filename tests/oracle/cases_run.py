"""Cases on what the first task refuses, the tenants of a run, and what is kept of the vendors' rows."""

from __future__ import annotations

from tests.oracle.base import CERTIFICATE, LINK, PERSON, Case, claim
from tests.oracle.edits import add_cert, add_linked, add_person, first_rule, raw, rules, run, setting

# fmt: off
REFUSED = tuple(
    Case(f"refused-{id_}", rule, edits, refused=True)
    for id_, rule, edits in (
        ("colliding-types", "settings whose types collide when folded are refused",
         (rules({"certificate_type": "Kranførerbevis", "action_code": ["A"]},
                {"certificate_type": "KRANFORERBEVIS", "action_code": ["B"]}),)),
        ("rule-without-condition", "a type rule without a condition is refused",
         (first_rule({"certificate_type": "A"}),)),
        ("rule-with-a-limit-only", "a limit is no condition",
         (first_rule({"certificate_type": "A", "max_validity_years": 2}),)),
        ("unknown-key", "unknown keys are refused", (setting(unlinkd="send"),)),
        ("unknown-inner-key", "unknown keys are refused", (setting(ditio={"company": "k1"}),)),
        ("unknown-rule-key", "unknown keys are refused",
         (first_rule({"certificate_type": "A", "action_code": ["A"], "name": "x"}),)),
        ("long-type", "at most 255 characters",
         (first_rule({"certificate_type": "A" * 256, "action_code": ["A"]}),)),
        ("unseen-tenant", "a tenant_ids entry that the user cannot see is refused",
         (run(tenant_ids=["t9"]),)),
        ("no-tenant", "zero tenants fail the run",
         (run(projects=[{"project_id": "t1", "status": "suspended", "project_type": "safety"}]),)),
        ("as-of", "another day than the run's own only with dry_run",
         (lambda world: setattr(world, "run_day", world.as_of.replace(day=16)),)),
    )
)
ALLOWED = (
    Case("type-of-255", "at most 255 characters",
         (rules({"certificate_type": "A" * 255, "action_code": ["BYGG"]}),),
         (claim("planned", type_="A" * 255),)),
    Case("as-of-dry-run", "another day with dry_run",
         (lambda world: setattr(world, "run_day", world.as_of.replace(day=16)), run(mode="dry_run")),
         (claim("planned"),)),
    Case("as-of-own-day", "the run's own day is allowed",
         (lambda world: setattr(world, "run_day", world.as_of),), (claim("planned"),)),
)
TENANTS = (
    Case("tenants-active", "tenants: [] takes active projects that are not templates",
         (add_linked("c2", "t2"), add_linked("c3", "t3"), add_person("p1", "t2"), add_person("p1", "t3"),
          run(projects=[{"project_id": "t1", "status": "active", "project_type": "safety"},
                        {"project_id": "t2", "status": "active", "project_type": "template"},
                        {"project_id": "t3", "status": "suspended", "project_type": "safety"}])),
         (claim("planned"),), totals={"certificates": 1, "persons": 1}),
    Case("tenants-listed", "tenants: 4HSE project ids",
         (add_linked("c2", "t2"), add_person("p1", "t2"), setting(tenants=["t2"])),
         (claim("planned", cid="c2", tenant_id="t2"),), totals={"certificates": 1, "links": 1, "persons": 1}),
    Case("foreign-rows", "rows of another tenant are dropped",
         (raw("certificates", {**CERTIFICATE, "certificate_id": "c2", "tenant_id": "t2"}),
          raw("links", {**LINK, "certificate_action_id": "l2", "tenant_id": "t2", "action_code": "X"}),
          raw("persons", {**PERSON, "person_id": "p2", "project_id": "t2", "first_name": "Ola"})),
         (claim("planned"),), totals={"certificates": 1, "links": 1, "persons": 1, "claims": 1}),
    Case("repeated-rows", "distinct ids count",
         (raw("certificates", CERTIFICATE), raw("links", LINK), raw("persons", PERSON)),
         (claim("planned"),), totals={"certificates": 1, "links": 1, "persons": 1, "claims": 1}),
    Case("certificate-alone", "every certificate extracted is accounted for", (add_cert("c2"),),
         (claim("planned"), claim("held", "ACTION_LINK_MISSING", cid="c2", type_=None)),
         totals={"certificates": 2, "claims": 2, "person_claims": 2, "matched": 2}),
)
# fmt: on

CASES = REFUSED + ALLOWED + TENANTS
