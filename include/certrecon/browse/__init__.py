"""What the pages in Airflow show, read from the warehouse.

Every function takes a connection that may only read, answers from indexes, never counts claims,
and pages by the last row shown (`paging`), so that a page costs the same however many there are.
"""
