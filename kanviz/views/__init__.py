"""Pictures of a snapshot: figure, graph and page. Nothing here knows torch."""
