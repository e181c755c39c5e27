"""The program that connects one bot with a Ray cluster: `python -m inference.backends.ray.connector`.

It is a process of its own, since Ray ends the process that uses a cluster when the cluster's head is gone, and starts
threads and signal handlers that a bot should not have. The bot starts it, and starts it again when it has ended. Frames
(see `messages`) come through stdin and leave through stdout; whatever Ray prints goes to stderr.

    ← {"address": …, "bot": …, "config": …}           the first frame; `config` is pickled, in base64
    ← {"call": …, "device": …, "method": …, "arguments": […]}
    ← {"configure": …}                                 new settings
    → {"refused": "why there is no connection"}        the last frame
    → {"nodes": {"pc2": ["pc2/cpu"], …}}               the nodes, and their devices, of which some may not answer yet
    → {"device": …, "state": …}                        the device is there, and how it is
    → {"gone": …, "why": …}                            the device is away
    → {"call": …, "events": …} or {"call": …, "result": …}
    → {"call": …, "lost": …} or {"call": …, "failed": …}
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import sys
import threading
import traceback
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from inference.backends.ray.device_actor import DeviceActor
from inference.backends.ray.messages import AUTH_MODE, code_version, has_token, place_of, read_frame, write_frame

_LOOK_PAUSE = 2.0
"""The seconds between two looks at the nodes of the cluster."""
_RETRY_PAUSE = 1.0
"""The seconds after which a device that has gone is started again."""
_WRONG_CODE_PAUSE = 30.0
"""The same for a device whose node has other code than this bot, or none."""
_SECONDS_TO_CONNECT = 5.0
_NAMESPACE = "inkling"

_OTHER_CODE = "Its Inkling differs from the bot's. Run `git pull` on both machines, so that they have the same files."
_NO_MODULE = "No module named 'inference'"
_NO_CODE = "Ray does not find Inkling there. Start it as docs/scaling.md says under “Two PCs”, with PYTHONPATH."


@dataclass(frozen=True, slots=True)
class NodeDevice:
    """A device of a node: its name for the bot, its name on the node, and the threads that it may use there."""

    name: str
    local_name: str
    node_id: str
    threads: int


def devices_of(nodes: list[dict[str, Any]]) -> dict[str, list[NodeDevice]]:
    """Return the devices of each node that is alive, by its name: its GPUs, or else its processor.

    `nodes` is what `ray.nodes()` lists.
    Ray counts the GPUs of a node as the resource `GPU`, and its cores as `CPU`; a node that was started with none of
    either has no device. Source: https://docs.ray.io/en/latest/ray-core/scheduling/resources.html
    """
    by_node: dict[str, list[NodeDevice]] = {}
    for node in nodes:
        if not node["Alive"]:
            continue
        gpus, cores = (int(node["Resources"].get(kind, 0)) for kind in ("GPU", "CPU"))
        name = re.sub(r"[^\w.-]", "-", node["NodeName"])
        devices = by_node.setdefault(name, [])
        if gpus:
            threads = max(1, cores // gpus)
            devices += [NodeDevice(f"{name}/cuda:{i}", "cuda:0", node["NodeID"], threads) for i in range(gpus)]
        elif cores:
            devices.append(NodeDevice(f"{name}/cpu", "cpu", node["NodeID"], cores))
    return by_node


class Connector:
    """Holds an actor for each device of the cluster, and passes calls on to it."""

    def __init__(self, ray: Any, bot: str, config: bytes, send: Callable[[dict[str, Any]], None]) -> None:
        self._ray = ray
        self._bot = bot
        self._config = config
        self._send = send
        self._actors: dict[str, Any] = {}
        """The actors that have answered, by device."""
        self._away: dict[str, str] = {}
        """Why a device is away, as the bot was told."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeping: dict[NodeDevice, asyncio.Task[None]] = {}
        self._told: dict[str, list[str]] | None = None
        """The nodes with their devices, as the bot knows them."""

    async def look_at_nodes(self) -> None:
        """Start actors on new devices, as long as this process runs."""
        while True:
            by_node = devices_of(await asyncio.to_thread(self._ray.nodes))
            self._tell_nodes({node: [device.name for device in devices] for node, devices in by_node.items()})
            found = [device for devices in by_node.values() for device in devices]
            for device in found:
                if device not in self._keeping:
                    self._keeping[device] = self._start(self._keep_actor(device))
            for device in [device for device in self._keeping if device not in found]:
                self._keeping.pop(device).cancel()
                self._lose(device.name, "Its machine has left the cluster.")
            await asyncio.sleep(_LOOK_PAUSE)

    def _tell_nodes(self, nodes: dict[str, list[str]]) -> None:
        if nodes != self._told:
            self._told = nodes
            self._send({"nodes": nodes})

    def take(self, frame: dict[str, Any]) -> None:
        """Do what a frame of the bot says."""
        if "configure" in frame:
            self._config = b64decode(frame["configure"])
            for actor in self._actors.values():
                actor.configure.remote(self._config)
        else:
            self._start(self._call(frame))

    async def _keep_actor(self, device: NodeDevice) -> None:
        """Keep an actor on the device, and report how it is."""
        while True:
            try:
                actor = self._actor(device)
                pause = await self._watch(device.name, actor)
            except self._ray.exceptions.RayError as error:
                has_code = _NO_MODULE not in str(error)
                if has_code and not has_just_ended(error):
                    print(f"the device {device.name} has gone: {error}", file=sys.stderr)
                self._lose(device.name, "Its process has ended." if has_code else _NO_CODE)
                pause = _RETRY_PAUSE if has_code else _WRONG_CODE_PAUSE
            await asyncio.sleep(pause)

    async def _watch(self, name: str, actor: Any) -> float:
        """Report the state of an actor until it ends, which raises. Return a pause if its code is not this one."""
        version = await actor.version.remote()
        if version != code_version():
            self._ray.kill(actor)  # or the process with the old code would be used again after an update
            self._lose(name, _OTHER_CODE)
            return _WRONG_CODE_PAUSE
        self._actors[name] = actor
        self._away.pop(name, None)
        async for state in actor.watch.options(num_returns="streaming").remote(self._bot):
            self._send({"device": name, "state": await state})
        return _RETRY_PAUSE

    def _actor(self, device: NodeDevice) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        options = {
            "name": device.name,
            "namespace": _NAMESPACE,
            "get_if_exists": True,  # several bots share it
            "scheduling_strategy": NodeAffinitySchedulingStrategy(device.node_id, soft=False),
            "max_concurrency": 10_000,
            "num_cpus": 0 if device.local_name.startswith("cuda") else device.threads,
            "num_gpus": 1 if device.local_name.startswith("cuda") else 0,
        }
        remote = self._ray.remote(DeviceActor).options(**options).remote
        return remote(device.name, device.local_name, self._config, device.threads)

    async def _call(self, frame: dict[str, Any]) -> None:
        call, actor = frame["call"], self._actors.get(frame["device"])
        if actor is None:
            self._send({"call": call, "lost": "The device is away."})
            return
        try:
            if frame["method"] == "run":
                stream = actor.run.options(num_returns="streaming").remote(self._bot, call, *frame["arguments"])
                async for events in stream:
                    self._send({"call": call, "events": await events})
            else:
                result = await getattr(actor, frame["method"]).remote(*frame["arguments"])
                self._send({"call": call, "result": result})
        except self._ray.exceptions.RayTaskError:  # an error in the actor's code
            self._send({"call": call, "failed": traceback.format_exc()})
        except self._ray.exceptions.RayError as error:
            self._send({"call": call, "lost": str(error)})

    def _lose(self, name: str, why: str) -> None:
        self._actors.pop(name, None)
        if self._away.get(name) != why:
            self._away[name] = why
            self._send({"gone": name, "why": why})

    def _start(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            traceback.print_exception(error)


def has_just_ended(error: Exception) -> bool:
    """Return whether the process of an actor, or its machine, has ended, of which Ray tells no more in a page of text.

    Its own failure to start is another thing, and so is memory that Ray found too small.
    """
    return getattr(error, "actor_init_failed", True) is False


def main() -> None:
    """Connect, then pass frames on until stdin ends."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what Ray prints is no frame
    sys.stdout = Path(os.devnull).open("w")  # notes about processes that have ended, of which the bot is told  # noqa: SIM115
    first = read_frame(sys.stdin.buffer)
    if first is None:
        return
    try:
        ray = _connect(first["address"])
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        if not isinstance(error, OSError | ImportError):  # of these, the reason says all
            traceback.print_exc()
        write_frame(output, {"refused": reason_of(first["address"], error)})
        return
    asyncio.run(_pass_on(ray, first, sys.stdin.buffer, output))


def _connect(address: str) -> Any:
    if address != "auto":  # Ray itself would try for more than a minute
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), _SECONDS_TO_CONNECT).close()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to Ray's makers
    if has_token():
        os.environ.setdefault(AUTH_MODE, "token")
    import ray

    ray.init(
        address=address,
        namespace=_NAMESPACE,
        log_to_driver=False,
        logging_level=logging.ERROR,
        configure_logging=False,
    )
    return ray


def reason_of(address: str, error: Exception) -> str:
    """Return why there is no connection, in a sentence for the operator."""
    if isinstance(error, ImportError):
        return "Ray is not installed. Install it with: pip install --no-deps -r requirements-ray.txt"
    if "ersion mismatch" in str(error):
        found = re.findall(r"(Ray|Python): (\S+)", str(error))
        versions = ", ".join(f"{program} {version}" for program, version in found[:4])
        return f"The cluster has other versions than this machine ({versions}). Install the same on all of them."
    if "token" in str(error).lower():
        return f"The cluster at {address} refused the token. Copy ~/.ray/auth_token of its head to this machine."
    if "Failed to connect to Ray" in str(error):  # something answers there
        return (
            f"What answers {place_of(address)} is no Ray cluster that this machine may use. Check the port, and copy "
            "~/.ray/auth_token of the cluster's head to this machine."
        )
    return f"There is no Ray cluster {place_of(address)}. docs/scaling.md says under “Two PCs” how to start one."


async def _pass_on(ray: Any, first: dict[str, Any], source: BinaryIO, output: BinaryIO) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    connector = Connector(ray, first["bot"], b64decode(first["config"]), lambda frame: write_frame(output, frame))

    def read() -> None:
        while frame := read_frame(source):
            loop.call_soon_threadsafe(connector.take, frame)
        loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=read, daemon=True).start()
    looking = asyncio.create_task(connector.look_at_nodes())
    looking.add_done_callback(lambda _: stopped.set())  # an error: the bot starts another connector
    await stopped.wait()
    if looking.done() and (error := looking.exception()):
        traceback.print_exception(error)
    ray.shutdown()
    os._exit(0)  # a thread of Ray may wait for what is not there


if __name__ == "__main__":
    main()
