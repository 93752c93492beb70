"""Near the limit of the compute stage: DuckDB SQL from the sealed Parquet to claims with findings and dispositions.

    python -m benchmarks.peers.duckdb_claims INPUTS.json OUTPUT.parquet

INPUTS.json is written by `benchmarks.compute`. There is no validation library, no payload and no digest.
EMPLOYEE_NUMBER_REUSED and TYPE_SPELLING_DRIFT need a ledger, which a first night does not have: they are left out.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from benchmarks.telling import tell, timed

# The findings in the order of their codes, over the columns of `applied` in duckdb_claims.sql.
CONDITIONS = {
    "ACTION_LINK_MISSING": "NOT linked",
    "ACTION_TYPE_DISAGREES": "type_disagrees",
    "ACTION_TYPE_NOT_PUBLISHED": "NOT published",
    "BIRTH_DATE_MISMATCH": "single AND births = 2",
    "DATE_IMPLAUSIBLE": "(issued_state = 2 AND issued < DATE '1950-01-01')"
    " OR (both_dates AND expiry > issued + to_years(CAST(years AS INTEGER)))",
    "EMPLOYEE_AMBIGUOUS": "applicable AND employees > 1",
    "EMPLOYEE_INACTIVE": "single AND inactive",
    "EMPLOYEE_NUMBER_MISSING": "applicable AND known AND number IS NULL",
    "EMPLOYEE_NUMBER_SHARED": "applicable AND shared",
    "EMPLOYEE_UNKNOWN": "applicable AND number IS NOT NULL AND employees = 0",
    "EXPIRED": "state = 2 AND expiry < {as_of}",
    "EXPIRES_SOON": "state = 2 AND expiry BETWEEN {as_of} AND {soon}",
    "EXPIRY_DERIVED": "source = 3 AND state = 2",
    "EXPIRY_DISAGREES": "disagrees",
    "EXPIRY_INVALID": "state = 1",
    "EXPIRY_MISSING": "state = 0",
    "EXPIRY_NOT_AFTER_ISSUE": "both_dates AND expiry <= issued",
    "ISSUED_INVALID": "issued_state = 1",
    "ISSUED_IN_FUTURE": "issued_state = 2 AND issued > {as_of}",
    "ISSUED_MISSING": "issued_state = 0",
    "NAME_CHANGED": "single AND NOT names_agree AND births = 1",
    "NAME_MISMATCH": "single AND NOT names_agree AND births <> 1",
    "PERSON_HISTORICISED": "applicable AND historicised",
    "PERSON_UNKNOWN": "applicable AND NOT known",
    "RESOURCE_NOT_PERSON": "NOT is_person",
    "SOURCE_WARNING": "coalesce(trim(warning) IN ('1', 'true'), false)",
    "TYPE_UNMAPPED": "applicable AND linked AND certificate_type IS NULL",
}
COUNT_FINDINGS = "SELECT unnest(findings) AS code, count(*) FROM read_parquet(?) GROUP BY 1 ORDER BY 1"
COUNT_DISPOSITIONS = "SELECT disposition, count(*) FROM read_parquet(?) GROUP BY 1 ORDER BY 1"
WITHOUT_LEDGER = ("EMPLOYEE_NUMBER_REUSED", "TYPE_SPELLING_DRIFT")


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def conditions(rule: dict[str, Any], code: str, name: str, action_type: str) -> str:
    """Return a type rule's conditions on these columns."""
    parts = []
    if rule["action_code"]:
        parts.append(f"trim({code}) IN ({', '.join(map(quoted, rule['action_code']))})")
    if rule["action_name"]:
        parts.append(f"regexp_matches(l.action_name, {quoted(rule['action_name'])})")
    if rule["certificate_name"]:
        parts.append(f"regexp_matches({name}, {quoted(rule['certificate_name'])})")
    if rule["action_type"]:
        parts.append(f"{action_type} = {quoted(rule['action_type'])}")
    return " AND ".join(parts)


def first_rule(rules: list[dict[str, Any]], *, unlinked: bool) -> str:
    """Return an expression for the number of the first rule that matches."""
    fitting = [
        (number, rule)
        for number, rule in enumerate(rules)
        if not (unlinked and (rule["action_code"] or rule["action_name"]))
    ]
    if not fitting:
        return "CAST(NULL AS INTEGER)"
    type_column = "c.action_type" if unlinked else "l.action_type"
    cases = [
        f"WHEN {conditions(rule, 'l.action_code', 'c.name', type_column)} THEN {number}" for number, rule in fitting
    ]
    return f"CASE {' '.join(cases)} END"


def read_files(files: list[list[str]], tenant_column: str | None) -> str:
    """Return a query of all files of a dataset, each with the tenant that it was read from."""
    selects = []
    for path, tenant in files:
        columns = f"* REPLACE ({quoted(tenant)} AS {tenant_column})" if tenant_column else "*"
        selects.append(f"SELECT {columns} FROM read_parquet({quoted(path)})")  # noqa: S608 - own files
    return " UNION ALL ".join(selects)


def statement(inputs: dict[str, Any], output: str) -> str:
    """Return the whole SQL of one run."""
    template = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    days = {name: f"DATE {quoted(inputs[name])}" for name in ("as_of", "soon")}
    cases = [f"CASE WHEN {rule.format(**days)} THEN {quoted(code)} END" for code, rule in CONDITIONS.items()]
    rules = inputs["rules"]
    values = {
        **days,
        "certificates": read_files(inputs["certificates"], "tenant_id"),
        "links": read_files(inputs["links"], "tenant_id"),
        "persons": read_files(inputs["persons"], "project_id"),
        "employees": read_files(inputs["employees"], None),
        "published": ", ".join(map(quoted, inputs["published"])),
        "rules": ", ".join(
            f"({number}, {quoted(one['certificate_type'])}, {one['years']})" for number, one in enumerate(rules)
        ),
        "link_rule": first_rule(rules, unlinked=False),
        "bare_rule": first_rule(rules, unlinked=True),
        "findings": ", ".join(cases),
        "critical": ", ".join(map(quoted, inputs["critical"])),
        "output": output,
    }
    return re.sub(r"^--.*$", "", template, flags=re.MULTILINE).format(**values)


def main() -> None:
    """Compute once and tell seconds and the counts that all variants must agree on."""
    import duckdb  # type: ignore[import-not-found]  # noqa: PLC0415 - only in the environment of the peers

    inputs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    output = sys.argv[2]
    whole = statement(inputs, output)
    conn = duckdb.connect()
    seconds, _ = timed(lambda: conn.execute(whole))
    counts = {
        name: dict(conn.execute(query, [output]).fetchall())
        for name, query in (("findings", COUNT_FINDINGS), ("dispositions", COUNT_DISPOSITIONS))
    }
    tell(seconds, **counts, left_out=list(WITHOUT_LEDGER))


if __name__ == "__main__":
    main()
