"""Hugging Face models behind one object: `Engine`. Importing this package does not import torch.

engine = create_engine(load_config(Path("config.yaml")))
completion = await engine.run(engine.check(CompleteRequest(prompt="Once upon a time")))
"""

from inference.backends.backend import Backend, ModelStatus, QueueStatus
from inference.config.loading import data_folder, load_config
from inference.config.problems import ConfigError
from inference.config.quotas import QuotasSection
from inference.config.schema import Config
from inference.documents import DocumentText, document_text
from inference.documents.file_names import is_document_name
from inference.engine import Engine
from inference.images.comparison import side_by_side
from inference.images.image_grid import crop_from_grid, image_grid
from inference.images.outpainting import EXTENSIONS, Extension, OutpaintingCanvas, outpainting_canvas
from inference.images.region_overlay import region_overlay, scaled_down
from inference.images.regions import REGIONS, cells_of, cells_region
from inference.images.webp import encode_lossless_webp, encode_webp
from inference.limits import Limits, is_on_cluster
from inference.observers import Observers
from inference.serialization import from_json, serializable, to_json
from inference.tasks import (
    LENGTHS,
    SAMPLERS,
    TASK_NAMES,
    Answer,
    AskRequest,
    Caption,
    CaptionRequest,
    ChatAnswerRequest,
    ChatReply,
    ChatRequest,
    CheckedRequest,
    CompleteRequest,
    Completion,
    EditRequest,
    FastMode,
    FillMaskResult,
    FillRequest,
    FinishReason,
    GeneratedImage,
    ImageResult,
    ImagineRequest,
    JointPrediction,
    Length,
    Message,
    Mood,
    Prediction,
    Request,
    Sampler,
    Section,
    SentimentRequest,
    SentimentResult,
    SummarizeRequest,
    Summary,
    TextSource,
    Tool,
    ToolCall,
    UpscaledImage,
    UpscaleRequest,
    Variation,
    infotext,
)
from inference.tasks.checks import refuse_words
from inference.tasks.fill import split_at_blanks
from inference.text.sentences import sentences, shortened
from inference.types import Event, Loading, ModelSpec, Output, PartialText, Progress, Queued, Result, Started
from inference.types.addresses import Address
from inference.types.durations import parse_duration
from inference.types.errors import (
    GenerationFailed,
    InferenceError,
    InvalidRequest,
    ModelUnavailable,
    OperatorStep,
    OutOfMemory,
    OutputWithheld,
    Overloaded,
    Phrase,
    RequestCancelled,
    RequestTimeout,
    UnknownModel,
    addressed_to_operator,
)
from inference.types.observations import (
    BatchEnded,
    DeviceUsed,
    ModelLoaded,
    ModelUnloaded,
    Observation,
    Observer,
    Outcome,
    RequestEnded,
)
from inference.types.sizes import size_text
from inference.verification import OriginReport

__all__ = [
    "EXTENSIONS",
    "LENGTHS",
    "REGIONS",
    "SAMPLERS",
    "TASK_NAMES",
    "Address",
    "Answer",
    "AskRequest",
    "Backend",
    "BatchEnded",
    "Caption",
    "CaptionRequest",
    "ChatAnswerRequest",
    "ChatReply",
    "ChatRequest",
    "CheckedRequest",
    "CompleteRequest",
    "Completion",
    "Config",
    "ConfigError",
    "DeviceUsed",
    "DocumentText",
    "EditRequest",
    "Engine",
    "Event",
    "Extension",
    "FastMode",
    "FillMaskResult",
    "FillRequest",
    "FinishReason",
    "GeneratedImage",
    "GenerationFailed",
    "ImageResult",
    "ImagineRequest",
    "InferenceError",
    "InvalidRequest",
    "JointPrediction",
    "Length",
    "Limits",
    "Loading",
    "Message",
    "ModelLoaded",
    "ModelSpec",
    "ModelStatus",
    "ModelUnavailable",
    "ModelUnloaded",
    "Mood",
    "Observation",
    "Observer",
    "Observers",
    "OperatorStep",
    "OriginReport",
    "OutOfMemory",
    "Outcome",
    "OutpaintingCanvas",
    "Output",
    "OutputWithheld",
    "Overloaded",
    "PartialText",
    "Phrase",
    "Prediction",
    "Progress",
    "QueueStatus",
    "Queued",
    "QuotasSection",
    "Request",
    "RequestCancelled",
    "RequestEnded",
    "RequestTimeout",
    "Result",
    "Sampler",
    "Section",
    "SentimentRequest",
    "SentimentResult",
    "Started",
    "SummarizeRequest",
    "Summary",
    "TextSource",
    "Tool",
    "ToolCall",
    "UnknownModel",
    "UpscaleRequest",
    "UpscaledImage",
    "Variation",
    "addressed_to_operator",
    "cells_of",
    "cells_region",
    "create_backend",
    "create_engine",
    "crop_from_grid",
    "data_folder",
    "document_text",
    "encode_lossless_webp",
    "encode_webp",
    "from_json",
    "image_grid",
    "infotext",
    "is_document_name",
    "load_config",
    "outpainting_canvas",
    "parse_duration",
    "refuse_words",
    "region_overlay",
    "scaled_down",
    "sentences",
    "serializable",
    "shortened",
    "side_by_side",
    "size_text",
    "split_at_blanks",
    "to_json",
]


def create_engine(config: Config) -> Engine:
    """Return an engine that runs models on this machine, and asks servers for those that are there."""
    observers = Observers()
    return Engine(config, create_backend(config, observers), observers)


def create_backend(config: Config, observe: Observer = lambda _: None) -> Backend:
    """Return the backend for the models of this machine and those on servers, to create an engine with it."""
    from inference.backends.device_pools import DevicePools
    from inference.backends.local import LocalBackend
    from inference.backends.openai.backend import OpenAIBackend
    from inference.backends.ray.backend import RayBackend
    from inference.backends.router import BackendRouter
    from inference.backends.usage_record import UsageRecord

    observers = Observers()
    observers.add(observe)
    usage = UsageRecord(config.data / "usage.json")
    local = LocalBackend(config, observe=observers, usage=usage)
    servers = OpenAIBackend(config, usage, observers)
    cluster = RayBackend(config, observers)

    def backend_of(spec: ModelSpec) -> Backend:
        if spec.server:
            return servers
        return cluster if is_on_cluster(spec.device) else local

    pools = DevicePools(BackendRouter((local, servers, cluster), backend_of))
    observers.add(pools.observe)
    return pools
