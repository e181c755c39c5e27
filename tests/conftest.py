"""Settings of all tests: they compute on one thread, and their generated inputs are the same in each run."""

import logging
import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.postgres_cluster import PostgresCluster

# This must be set before any test imports torch. `make test` runs one process for each core, so several threads in each
# process would compete for the cores. Tiny models gain nothing from several threads, and on a busy machine the threads
# would wait seconds for each other. Programs that the tests start inherit the variable.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The result of a test must not depend on random inputs, on the load of the machine, or on earlier failures.
settings.register_profile("inkling", derandomize=True, deadline=None, database=None)
settings.load_profile("inkling")


@pytest.fixture(autouse=True)
def logging_as_before() -> Generator[None]:
    """Undo after each test how `bot.main` sets up logging: its handler would write to the stderr of an ended test."""
    root, before = logging.getLogger(), list(logging.getLogger().handlers)
    levels = {logger: logger.level for logger in (root, *map(logging.getLogger, ("cogs", "discord", "inference")))}
    yield
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
    for logger, level in levels.items():
        logger.setLevel(level)


@pytest.fixture(scope="session")
def cluster() -> Generator[PostgresCluster]:
    """Return a Postgres server, which starts with the first test that asks for it."""
    cluster = PostgresCluster()
    yield cluster
    cluster.remove()


@pytest.fixture
def address(cluster: PostgresCluster) -> str:
    """Return the address of an empty database."""
    return cluster.new_database()
