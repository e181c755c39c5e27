"""A Ray cluster of two devices on this machine, and an engine that uses it."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from inference import create_engine
from inference.backends.ray.local_cluster import LocalCluster, local_cluster
from inference.config.schema import Config
from inference.engine import Engine
from tests.waiting import until

STARTER = Path(__file__).parents[4] / "starter" / "models"


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def cluster() -> Generator[LocalCluster]:
    os.environ["RAY_AUTH_TOKEN"] = "0123456789abcdef" * 4
    try:
        with local_cluster(free_port()) as cluster:
            yield cluster
    finally:
        del os.environ["RAY_AUTH_TOKEN"]


def config_for(address: str, data: Path, device: str | list[str] = "cluster") -> Config:
    models = {"imagine": [str(STARTER / "emoji-painter")], "caption": [str(STARTER / "emoji-captioner")]}
    return Config.model_validate(
        {"models": models, "ray": address, "device": device, "data": str(data), "dtype": "float32"}
    )


@dataclass
class Bot:
    """An engine with its cluster, and what a test does to both."""

    engine: Engine
    cluster: LocalCluster

    @property
    def devices(self) -> set[str]:
        return {queue.device for queue in self.engine.queues()}

    @property
    def running(self) -> dict[str, int]:
        """The numbers of requests that run, by device."""
        return {queue.device: queue.running for queue in self.engine.queues() if queue.running}

    async def until_devices(self, *names: str) -> None:
        self.engine.loaded("imagine")
        await until(lambda: self.devices == set(names), f"{names} are not the devices of the cluster", seconds=150)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Bot]:
    engine = create_engine(config_for(cluster.address, tmp_path_factory.mktemp("data")))
    bot = Bot(engine, cluster)
    await engine.statuses()  # connects
    await bot.until_devices("pc1/cpu", "pc2/cpu")
    yield bot
    await engine.close()


def kill_actor(cluster: LocalCluster, node: str) -> None:
    """Kill the process of a node's actor, as a crash would."""
    actors = [each for each in cluster.processes(node) if "".join(each.cmdline()).startswith("ray::DeviceActor")]
    assert actors, f"{node} has no actor"
    for actor in actors:
        actor.kill()


def kill_connector() -> None:
    """Kill the connectors of this process, as Ray does when a head has gone."""
    children = psutil.Process().children()
    connectors = [child for child in children if "inference.backends.ray.connector" in child.cmdline()]
    assert connectors, "there is no connector"
    for connector in connectors:
        connector.kill()
