"""The parts of a Ray cluster on this machine, which are killed under load as the bot is."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Literal

import psutil

from inference.backends.ray.local_cluster import LocalCluster

Part = Literal["process of a device", "machine", "connector", "head"]

_NODES = ("pc1", "pc2")
_SHARES: dict[Part, int] = {"process of a device": 10, "machine": 4, "connector": 2, "head": 2}
_BOT_SHARE = 6
"""How often each part is killed, in comparison with the others, and the bot in comparison with all."""


class ClusterParts:
    """Kills a random part of the cluster, and starts it again. The connector is restarted by the bot itself."""

    def __init__(self, cluster: LocalCluster, random: Random) -> None:
        self._cluster = cluster
        self._random = random

    def next_part(self) -> Part | None:
        """Return the part that is killed next; None for the bot."""
        parts: list[Part | None] = [*_SHARES, None]
        return self._random.choices(parts, [*_SHARES.values(), _BOT_SHARE])[0]

    async def kill(self, part: Part) -> None:
        """Kill a part, and return when it has been started again."""
        node = self._random.choice(_NODES)
        match part:
            case "process of a device":
                _kill(*(each for each in self._cluster.processes(node) if _has(each, "ray::DeviceActor")))
            case "connector":
                _kill(*(each for each in psutil.Process().children(recursive=True) if _has(each, "ray.connector")))
            case "machine":
                await asyncio.to_thread(self._cluster.kill, node)
                await asyncio.to_thread(self._cluster.start_node, node)
            case "head":
                for each in ("head", *_NODES):  # Ray itself ends the nodes of a head that has gone, some time later
                    await asyncio.to_thread(self._cluster.kill, each)
                await asyncio.to_thread(self._cluster.start_head)
                for each in _NODES:
                    await asyncio.to_thread(self._cluster.start_node, each)


def _has(process: psutil.Process, words: str) -> bool:
    try:
        return words in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _kill(*processes: psutil.Process) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
