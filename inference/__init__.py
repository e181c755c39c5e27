"""Hugging Face models behind one object: `Engine`. Importing this package does not import torch.

engine = create_engine(load(Path("config.yaml")))
completion = await engine.run(CompleteRequest(prompt="Once upon a time"))
"""

from inference import parameters
from inference.backends.base import Backend, ModelStatus, QueueStatus
from inference.blanks import split_at_blanks
from inference.config import Config, ConfigError, Limits, load
from inference.documents import document_text
from inference.engine import Engine
from inference.errors import (
    GenerationFailed,
    InferenceError,
    InvalidRequest,
    ModelUnavailable,
    OperatorStep,
    OutOfMemory,
    Overloaded,
    Phrase,
    RequestCancelled,
    RequestTimeout,
    UnknownModel,
)
from inference.overlay import region_overlay, scaled_down
from inference.regions import REGIONS, cells_of, cells_region
from inference.sheets import contact_sheet, cut
from inference.types import (
    LENGTHS,
    SAMPLERS,
    TASKS,
    Answer,
    AskRequest,
    Caption,
    CaptionRequest,
    Chunk,
    CompleteRequest,
    Completion,
    Drawing,
    Event,
    ExplainRequest,
    Filling,
    FillRequest,
    ImagineRequest,
    Joint,
    Length,
    Loading,
    ModelSpec,
    Mood,
    Moods,
    Picture,
    Prediction,
    Progress,
    Queued,
    Request,
    Result,
    Sampler,
    Section,
    SentimentRequest,
    Started,
    SummarizeRequest,
    Summary,
    Task,
    Turn,
    Value,
    Variation,
)
from inference.webp import encode_webp

__all__ = [
    "LENGTHS",
    "REGIONS",
    "SAMPLERS",
    "TASKS",
    "Answer",
    "AskRequest",
    "Backend",
    "Caption",
    "CaptionRequest",
    "Chunk",
    "CompleteRequest",
    "Completion",
    "Config",
    "ConfigError",
    "Drawing",
    "Engine",
    "Event",
    "ExplainRequest",
    "FillRequest",
    "Filling",
    "GenerationFailed",
    "ImagineRequest",
    "InferenceError",
    "InvalidRequest",
    "Joint",
    "Length",
    "Limits",
    "Loading",
    "ModelSpec",
    "ModelStatus",
    "ModelUnavailable",
    "Mood",
    "Moods",
    "OperatorStep",
    "OutOfMemory",
    "Overloaded",
    "Phrase",
    "Picture",
    "Prediction",
    "Progress",
    "QueueStatus",
    "Queued",
    "Request",
    "RequestCancelled",
    "RequestTimeout",
    "Result",
    "Sampler",
    "Section",
    "SentimentRequest",
    "Started",
    "SummarizeRequest",
    "Summary",
    "Task",
    "Turn",
    "UnknownModel",
    "Value",
    "Variation",
    "cells_of",
    "cells_region",
    "contact_sheet",
    "create_backend",
    "create_engine",
    "cut",
    "document_text",
    "encode_webp",
    "load",
    "parameters",
    "region_overlay",
    "scaled_down",
    "split_at_blanks",
]


def create_engine(config: Config) -> Engine:
    """An engine on this machine's own devices."""
    return Engine(config, create_backend(config))


def create_backend(config: Config) -> Backend:
    """This machine's own devices, for an engine of one's own making."""
    from inference.backends.local import LocalBackend

    return LocalBackend(config)
