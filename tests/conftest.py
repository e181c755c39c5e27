"""What holds for every test: it computes on one thread, and makes up its inputs the same way each time."""

import os

from hypothesis import settings

# Before any test imports torch. `make test` runs as many processes as there are cores, and their threads would fight
# for them. Tiny models gain nothing from several threads anyway, and on a busy machine waiting for each other costs
# them seconds. The variable reaches the programs that tests start, too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Whether a test passes depends neither on luck, nor on how busy the machine is, nor on what failed before.
settings.register_profile("inkling", derandomize=True, deadline=None, database=None)
settings.load_profile("inkling")
