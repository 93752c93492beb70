"""Faults: what goes wrong between a client and the vendors, switched on per endpoint.

A fault has a kind (`catalogue.py` lists them), an endpoint (a name of `endpoints.py`, `*` and `?` as in
file names), and says how often it happens (`times`, null = always) after how many spared requests
(`after`). Kinds are played around the vendors' application by `plan.py`, in the order in which they were
switched on. What is random comes from `seed` and the number of the hit.

| module | faults |
|---|---|
| `wire.py` | the connection: latency, resets, bodies that break off, answers that never arrive |
| `refusals.py` | answers instead of the vendor's: errors, rate limits, proxies' pages, redirects, ended tokens |
| `altered.py` | the vendor's own answer, changed: cut, emptied, rows and fields added or taken away |
| `paging.py` | lists that cannot be read straight on: clamps, wrong headers, pages that repeat |
| `moving.py` | rows that come and go while they are read |
"""
