"""The drawings that the starter models learn from: emoji by several artists, under free licences."""
