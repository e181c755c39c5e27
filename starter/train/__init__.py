"""Training of the starter models, from nothing: `python -m starter.train painter`."""
