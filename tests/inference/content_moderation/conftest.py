"""An engine with classifiers of texts and of pictures."""

from __future__ import annotations

import pytest

from inference import (
    Engine,
)
from tests.inference.content_moderation.checked_model import Model, config


@pytest.fixture
def backend() -> Model:
    return Model()


@pytest.fixture
def engine(backend: Model) -> Engine:
    return Engine(config(), backend)
