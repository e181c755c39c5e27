"""The commands, one family a file. They hand requests to the engine and show what comes back."""

from cogs.about import About
from cogs.ask import Ask
from cogs.caption import Captions
from cogs.complete import Complete
from cogs.fill import Fill
from cogs.heartbeat import Heartbeat
from cogs.imagine import Imagine
from cogs.imagine.image_buttons import ImageButtons
from cogs.mention import Mention
from cogs.mood import Mood
from cogs.privacy import Privacy
from cogs.retention import Retention
from cogs.settings import SettingsPanels
from cogs.summarize import Summarize

COGS = (
    Imagine,
    ImageButtons,
    Captions,
    Ask,
    Summarize,
    Complete,
    Fill,
    Mood,
    About,
    SettingsPanels,
    Privacy,
    Mention,
    Retention,
    Heartbeat,
)
"""Each takes the bot."""
