"""Seeded generators of wild use, one module to a kind: short in the gate, long by one command."""
