"""The list of all cogs."""

from cogs.about import About
from cogs.ask import Ask
from cogs.caption import Captions
from cogs.chat import Chat
from cogs.complete import Complete
from cogs.fill import Fill
from cogs.garbage_collection import GarbageCollection
from cogs.heartbeat import Heartbeat
from cogs.imagine import Imagine
from cogs.imagine.edit_command import Edits
from cogs.mention import Mention
from cogs.metrics import Metrics
from cogs.missed_mentions import MissedMentions
from cogs.moderation import Moderation
from cogs.mood import Moods
from cogs.operator import Operator
from cogs.privacy import Privacy
from cogs.quota import Quota
from cogs.request_log import RequestLog
from cogs.retention import Retention
from cogs.settings import SettingsPanels
from cogs.shared_data import SharedData
from cogs.summarize import Summarize
from cogs.upscale import Upscale
from cogs.verify import Verify

COGS = (
    Imagine,
    Edits,
    Captions,
    Upscale,
    Verify,
    Ask,
    Summarize,
    Complete,
    Chat,
    Fill,
    Moods,
    About,
    Quota,
    SettingsPanels,
    Moderation,
    Privacy,
    Operator,
    Mention,
    MissedMentions,
    Retention,
    SharedData,
    Heartbeat,
    GarbageCollection,
    RequestLog,
    Metrics,
)
"""All cogs in the order in which they are added; `Mention` must come last of those that add a fallback."""
