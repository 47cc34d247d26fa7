"""Live pictures: the diagram that stays in step with a model, and the page that needs no kernel."""
