"""Generators of inputs that nobody thought of; ``python -m tests.fuzz`` runs one for long."""
