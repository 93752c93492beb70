"""What Ditio is sent for a claim, as canonical JSON text (design, *Dispositions*: Payload)."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.text import json_literals


def _midnight(days: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise('"', days.cast(pa.string()), 'T00:00:00Z"', "")


def payload_texts(
    employee_number: pa.Array,
    certificate_type: pa.Array,
    certificate_id: pa.Array,
    issued: pa.Array,
    until: pa.Array,
) -> pa.Array:
    """Return one JSON object a row, keys sorted, no white space.

    Args:
        employee_number: Ditio's own spelling, string.
        certificate_type: String.
        certificate_id: String; becomes `certificateNumber`.
        issued: `date32`.
        until: `date32`.
    """
    return pc.binary_join_element_wise(
        pc.binary_join_element_wise('{"certificateNumber":', json_literals(certificate_id), ""),
        pc.binary_join_element_wise('"certificateType":', json_literals(certificate_type), ""),
        pc.binary_join_element_wise('"employeeNumber":', json_literals(employee_number), ""),
        pc.binary_join_element_wise('"issuedDateTime":', _midnight(issued), ""),
        pc.binary_join_element_wise('"validUntilDateTime":', _midnight(until), "}", ""),
        ",",
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def digests(texts: pa.Array) -> pa.Array:
    """Return the SHA-256 of each text, hexadecimal."""
    return pa.array(map(_digest, texts.to_pylist()), pa.string(), size=len(texts))
