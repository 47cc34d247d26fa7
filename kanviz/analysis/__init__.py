"""Questions about a network: they compute, and never change anything."""
