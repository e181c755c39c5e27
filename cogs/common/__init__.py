"""Code that all commands share: reply sessions, their progress, and the final message."""

from cogs.common.error_messages import report
from cogs.common.markdown import neutral, quoted
from cogs.common.message_content import AttachedFile, MessageContent
from cogs.common.progress_renderer import ProgressRenderer
from cogs.common.reply_session import ReplyJob, ReplySession
from cogs.common.reply_sessions import ReplySessions
from cogs.common.responder import FollowupResponder, InteractionResponder, MessageResponder, Responder

__all__ = [
    "AttachedFile",
    "FollowupResponder",
    "InteractionResponder",
    "MessageContent",
    "MessageResponder",
    "ProgressRenderer",
    "ReplyJob",
    "ReplySession",
    "ReplySessions",
    "Responder",
    "neutral",
    "quoted",
    "report",
]
