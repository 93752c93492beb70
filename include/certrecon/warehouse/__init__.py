"""The warehouse: PostgreSQL, schema `reconciliation` (design, *Warehouse*).

`engine` connects, `migrate` brings the schema up to date, `bulk` moves Arrow tables in and out by
COPY; `runs`, `history`, `ledger` and `withdrawals` each keep one table true.
"""
