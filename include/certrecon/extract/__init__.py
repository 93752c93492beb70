"""Reads both vendors whole into Parquet, values as received, nothing that the rules do not use."""
