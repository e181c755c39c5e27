"""The commands, one family a file. They hand requests to the engine and show what comes back."""

from cogs.about import About
from cogs.ask import Ask
from cogs.caption import Captions
from cogs.complete import Complete
from cogs.fill import Fill
from cogs.forgetting import Forgetting
from cogs.heartbeat import Heartbeat
from cogs.imagine import Imagine
from cogs.imagine.studio import Studio
from cogs.mention import Mention
from cogs.mood import Moods
from cogs.privacy import Privacy
from cogs.settings import Settings
from cogs.summarize import Summarize

COGS = (
    Imagine,
    Studio,
    Captions,
    Ask,
    Summarize,
    Complete,
    Fill,
    Moods,
    About,
    Settings,
    Privacy,
    Mention,
    Forgetting,
    Heartbeat,
)
"""Each takes the bot."""
