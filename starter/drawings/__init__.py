"""The drawings that the starter models are trained on: emoji by several artists, with free licences."""
