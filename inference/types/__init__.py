"""Types shared by all layers: model specs, events, and the base class of results.

All are frozen plain data (text, numbers, bytes), so that they can be queued, stored or sent to another machine. Nothing
here imports torch. Requests and results are in `inference.tasks`, errors in `inference.types.errors`.
"""

from inference.types.events import Event, Loading, LoadProgress, Output, PartialText, Progress, Queued, Result, Started
from inference.types.spec import DType, GGUFSummary, ModelServer, ModelSpec, Offload, Quantize, Runtime

__all__ = [
    "DType",
    "Event",
    "GGUFSummary",
    "LoadProgress",
    "Loading",
    "ModelServer",
    "ModelSpec",
    "Offload",
    "Output",
    "PartialText",
    "Progress",
    "Quantize",
    "Queued",
    "Result",
    "Runtime",
    "Started",
]
