"""Canaries: what must never leave the API client is planted everywhere and searched for afterwards."""
