"""Training of the starter models from scratch: `python -m starter.train painter`."""
