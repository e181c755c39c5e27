"""Figures about the starter models, on what their training never saw: `python -m starter.evaluate`."""
