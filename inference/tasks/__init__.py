"""The registry of tasks. Each task has a module with its request, its result and its checks.

To add a task, write this module, a pipeline, a command for the command line and a cog, and add the task to `TASKS`.
"""

from __future__ import annotations

from inference.tasks import ask, caption, chat, complete, edit, fill, imagine, mood, summarize, upscale
from inference.tasks.ask import Answer, AskRequest, ChatAnswerRequest
from inference.tasks.caption import Caption, CaptionRequest
from inference.tasks.chat import ChatReply, ChatRequest, Tool, ToolCall
from inference.tasks.classify import (
    CLASSIFIERS,
    PICTURE_CLASSIFIER,
    TEXT_CLASSIFIER,
    Classification,
    ClassifyPicturesRequest,
    ClassifyTextsRequest,
)
from inference.tasks.complete import CompleteRequest, Completion
from inference.tasks.edit import EditRequest
from inference.tasks.fill import FillMaskResult, FillRequest, JointPrediction, Prediction
from inference.tasks.imagine import (
    DEFAULT_FAST_MODE,
    MAX_CACHE_INTERVAL,
    SAMPLERS,
    FastMode,
    GeneratedImage,
    ImageResult,
    ImagineRequest,
    Sampler,
    Variation,
)
from inference.tasks.messages import FinishReason, Message
from inference.tasks.mood import Mood, SentimentRequest, SentimentResult
from inference.tasks.request import CheckedRequest, Request, TextSource
from inference.tasks.summarize import LENGTHS, Length, Section, SummarizeRequest, Summary
from inference.tasks.task import Task
from inference.tasks.upscale import UpscaledImage, UpscaleRequest

TASKS: tuple[Task, ...] = (
    chat.TASK,
    complete.TASK,
    fill.TASK,
    summarize.TASK,
    ask.TASK,
    caption.TASK,
    imagine.TASK,
    edit.TASK,
    upscale.TASK,
    mood.TASK,
)
"""All tasks, in the order in which users see them."""

TASK_NAMES: tuple[str, ...] = tuple(task.name for task in TASKS)


def task_named(name: str) -> Task:
    """Return the task of that name. Raise KeyError if there is none."""
    return {task.name: task for task in TASKS}[name]


__all__ = [
    "CLASSIFIERS",
    "DEFAULT_FAST_MODE",
    "LENGTHS",
    "MAX_CACHE_INTERVAL",
    "PICTURE_CLASSIFIER",
    "SAMPLERS",
    "TASKS",
    "TASK_NAMES",
    "TEXT_CLASSIFIER",
    "Answer",
    "AskRequest",
    "Caption",
    "CaptionRequest",
    "ChatAnswerRequest",
    "ChatReply",
    "ChatRequest",
    "CheckedRequest",
    "Classification",
    "ClassifyPicturesRequest",
    "ClassifyTextsRequest",
    "CompleteRequest",
    "Completion",
    "EditRequest",
    "FastMode",
    "FillMaskResult",
    "FillRequest",
    "FinishReason",
    "GeneratedImage",
    "ImageResult",
    "ImagineRequest",
    "JointPrediction",
    "Length",
    "Message",
    "Mood",
    "Prediction",
    "Request",
    "Sampler",
    "Section",
    "SentimentRequest",
    "SentimentResult",
    "SummarizeRequest",
    "Summary",
    "Task",
    "TextSource",
    "Tool",
    "ToolCall",
    "UpscaleRequest",
    "UpscaledImage",
    "Variation",
    "task_named",
]
