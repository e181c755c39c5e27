"""Settings of a bot that serves its metrics on a free port."""

from __future__ import annotations

import pytest

from inference import Address, Config


@pytest.fixture
def config(config: Config) -> Config:
    return config.model_copy(update={"metrics": Address("127.0.0.1", 0)})
