"""Findings: each is one Great Expectations expectation over a narrow frame of facts."""
