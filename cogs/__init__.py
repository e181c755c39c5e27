"""The commands, one family a file. They hand requests to the engine and show what comes back."""

from cogs.complete import Complete

COGS = (Complete,)
"""Each takes the engine."""
