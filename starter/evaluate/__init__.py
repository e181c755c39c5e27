"""Evaluation of the starter models on data not used for training: `python -m starter.evaluate`."""
