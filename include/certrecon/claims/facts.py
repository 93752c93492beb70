"""The frame of claims: who claims what, and every fact that a rule may ask about.

Expectations state rules on these columns and nothing else; each column is computed once.
"""

from __future__ import annotations

import pyarrow as pa

from certrecon.claims.coded import CODED

IDENTITY = [
    ("certificate_id", pa.string()),
    ("certificate_type", CODED),
    ("tenant_id", CODED),
    ("certificate_name", CODED),
    ("action_type", CODED),
    ("resource_type", CODED),
    ("resource_id", CODED),
    ("person_id", CODED),
    ("person_name", CODED),
    ("given_name", CODED),
    ("family_name", CODED),
    ("employee_number", CODED),
    ("ditio_employee_number", CODED),
    ("issued_received", CODED),
    ("expiry_received", CODED),
    ("certificate", pa.int32()),
]
"""Who and what: `person_*` and numbers are null where no person is known; `*_received` are the raw
texts behind the two dates; `certificate` is the row of the certificate that the claim is of."""

DATE_FACTS = [
    ("issued_state", pa.int8()),
    ("issued_day", pa.int32()),
    ("expiry_state", pa.int8()),
    ("expiry_day", pa.int32()),
    ("expiry_missing", pa.bool_()),
    ("expiry_source", pa.int8()),
    ("latest_plausible_day", pa.int32()),
    ("expiry_disagrees", pa.bool_()),
]
"""States are `DateState`, days are days since 1970-01-01, sources are `ExpirySource`. With a sentinel
`expiry_missing` is true and the expiry is the sentinel date."""

MATCH_FACTS = [
    ("applicable", pa.bool_()),
    ("person_known", pa.bool_()),
    ("historicised", pa.bool_()),
    ("number_known", pa.bool_()),
    ("number_shared", pa.bool_()),
    ("employees", pa.int32()),
    ("inactive", pa.bool_()),
    ("names_agree", pa.bool_()),
    ("births", pa.int8()),
    ("number_reused", pa.bool_()),
]
"""`applicable` is false for what is not a person's or not published; `births` is `Births`."""

LINK_FACTS = [
    ("linked", pa.bool_()),
    ("is_person", pa.bool_()),
    ("published", pa.bool_()),
    ("typed", pa.bool_()),
    ("spelling_drift", pa.bool_()),
    ("action_type_disagrees", pa.bool_()),
    ("source_warning", pa.bool_()),
]
"""What links, types and 4HSE's own flags say."""

CLAIM_FACTS = pa.schema(IDENTITY + DATE_FACTS + MATCH_FACTS + LINK_FACTS)
"""One row a claim, ordered by certificate id and certificate type."""
