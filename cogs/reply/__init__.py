"""What every command shares: the message that tells how a job goes, and how it ends."""

from cogs.reply.errors import report
from cogs.reply.job import Job
from cogs.reply.jobs import Jobs
from cogs.reply.page import Attached, Page
from cogs.reply.place import InteractionPlace, MessagePlace, Place
from cogs.reply.status import Status
from cogs.reply.text import neutral, quoted

__all__ = [
    "Attached",
    "InteractionPlace",
    "Job",
    "Jobs",
    "MessagePlace",
    "Page",
    "Place",
    "Status",
    "neutral",
    "quoted",
    "report",
]
