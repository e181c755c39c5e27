"""The words that every layer shares: models as they are listed, events, and the base of results.

Everything here is frozen plain data (text, numbers, bytes), so that it can be queued, stored or sent to another
machine. Nothing here imports torch. Requests and results are in `inference.tasks`, errors in `inference.types.errors`.
"""

from inference.types.events import Event, Loading, LoadProgress, PartialText, Progress, Queued, Result, Started
from inference.types.output import Output
from inference.types.spec import DType, ModelSpec

__all__ = [
    "DType",
    "Event",
    "LoadProgress",
    "Loading",
    "ModelSpec",
    "Output",
    "PartialText",
    "Progress",
    "Queued",
    "Result",
    "Started",
]
