"""What every command shares: the message that tells how a job goes, and how it ends."""

from cogs.common.error_messages import report
from cogs.common.markdown import neutral, quoted
from cogs.common.message_content import AttachedFile, MessageContent
from cogs.common.progress_renderer import ProgressRenderer
from cogs.common.reply_session import ReplySession
from cogs.common.reply_sessions import ReplySessions
from cogs.common.responder import FollowupResponder, InteractionResponder, MessageResponder, Responder

__all__ = [
    "AttachedFile",
    "FollowupResponder",
    "InteractionResponder",
    "MessageContent",
    "MessageResponder",
    "ProgressRenderer",
    "ReplySession",
    "ReplySessions",
    "Responder",
    "neutral",
    "quoted",
    "report",
]
