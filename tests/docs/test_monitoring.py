"""The dashboard and the alerts ask only for metrics that the bot has, with labels that these metrics have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector

from bot import create_bot
from cogs.client import Inkling
from cogs.metrics.bot_collector import BotCollector
from cogs.metrics.engine_metrics import EngineMetrics
from cogs.metrics.loop_lag import measured_loop_lag
from cogs.metrics.readiness import Readiness
from inference import (
    BatchEnded,
    Config,
    DeviceUsed,
    Engine,
    ModelLoaded,
    ModelUnloaded,
    Observation,
    RequestEnded,
)
from tests.fakes import FakeBackend

DOCS = Path(__file__).parents[2] / "docs"
_FOREIGN = {"up"}
"""What Prometheus itself adds."""

_TARGET_LABELS = {"instance", "job", "le"}
"""Labels that Prometheus adds, and that of buckets."""

_OBSERVED: list[Observation] = [
    RequestEnded("1f2e3d4c", "complete", "gpt2", "cpu", "7", "9", "answered", 0.1, 1.0, 0.2, 8, "tokens"),
    RequestEnded("1f2e3d4c", "imagine", "sd", "cpu", "7", "9", "answered", 0.1, 1.0, 0.2, 8, "steps"),
    BatchEnded("cuda:0", "complete", "gpt2", 2, 1.0, 10**9),
    DeviceUsed("cuda:0", "7", "9", 1.0),
    ModelLoaded("cuda:0", "other", 10**9, 1.0),
    ModelUnloaded("cuda:0", "other"),
    ModelLoaded("cuda:0", "gpt2", 10**9, 1.0),
]


def expressions(path: Path) -> list[str]:
    """Return all queries of a dashboard or of a file of rules."""
    text = path.read_text(encoding="utf-8")
    data: Any = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    if path.suffix == ".json":
        return [target["expr"] for panel in data["panels"] for target in panel["targets"]]
    return [rule["expr"] for group in data["groups"] for rule in group["rules"]]


def names(expression: str) -> set[str]:
    """Return the metrics in a query."""
    return set(re.findall(r"\b(?:inkling|process)_\w+", expression)) | (_FOREIGN & set(re.findall(r"\w+", expression)))


def labels(expression: str) -> set[str]:
    """Return the labels that a query groups or selects by."""
    groups = re.findall(r"\b(?:by|on|group_left)\s*\(([^)]*)\)", expression)
    selected = re.findall(r"(\w+)\s*=~?\"|(\w+)\s*!=\"", expression)
    return {word for group in groups for word in re.findall(r"\w+", group)} | {a or b for a, b in selected}


@pytest.fixture
async def samples(tmp_path: Path) -> dict[str, set[str]]:
    """Return the labels of every sample of the bot's page, by name."""
    config = Config(data=tmp_path)
    bot = create_bot(Engine(config, FakeBackend()))
    assert isinstance(bot, Inkling)
    bot.calls.answers["429"] += 1
    registry = CollectorRegistry()
    for session in ("new", "new", "resumed"):
        bot.gateway.connect(0, session)
    collector = BotCollector(bot, Readiness(bot.engine, bot.gateway))
    await collector.refresh()
    registry.register(collector)
    ProcessCollector(registry=registry)
    observe = EngineMetrics(bot.engine, registry)
    for observation in _OBSERVED:
        observe(observation)
    with measured_loop_lag(registry):
        found = [sample for family in registry.collect() for sample in family.samples]
    await bot.engine.close()
    return {sample.name: set(sample.labels) for sample in found}


@pytest.mark.parametrize("path", [DOCS / "grafana/inkling.json", DOCS / "prometheus/alerts.yml"], ids=lambda p: p.name)
async def test_every_query_asks_for_metrics_and_labels_that_exist(path: Path, samples: dict[str, set[str]]):
    queries = expressions(path)
    assert queries
    for query in queries:
        assert names(query), query
        assert names(query) - samples.keys() - _FOREIGN == set(), query
        known = _TARGET_LABELS.union(*(samples.get(name, set()) for name in names(query)))
        assert labels(query) - known == set(), query


def test_every_outcome_in_a_query_is_one(samples: dict[str, set[str]]):
    outcomes = {"answered", "refused", "cancelled", "timed out", "failed"}
    for path in (DOCS / "grafana/inkling.json", DOCS / "prometheus/alerts.yml"):
        for query in expressions(path):
            for value in re.findall(r'outcome(?:=~|!=|=)"([^"]*)"', query):
                assert set(value.split("|")) <= outcomes, query


def test_panels_of_the_dashboard_do_not_overlap():
    dashboard = json.loads((DOCS / "grafana/inkling.json").read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
