"""The connector with a cluster that the tests write: what it makes of nodes, of other code, and of Ray's errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from inference.backends.ray.connector import Connector, NodeDevice, devices_of, reason_of
from tests.waiting import until

NODE_ID = "ab" * 28


def node(name: str, *, alive: bool = True, **resources: float) -> dict[str, Any]:
    return {"NodeName": name, "NodeID": NODE_ID, "Alive": alive, "Resources": resources}


def test_the_devices_of_a_node_are_its_gpus_or_else_its_processor() -> None:
    nodes = [
        node("head"),
        node("pc 2", CPU=8.0),
        node("pc3", CPU=16.0, GPU=2.0),
        node("pc4", alive=False, CPU=4.0),
    ]
    assert devices_of(nodes) == {
        "head": [],
        "pc-2": [NodeDevice("pc-2/cpu", "cpu", NODE_ID, 8)],
        "pc3": [NodeDevice("pc3/cuda:0", "cuda:0", NODE_ID, 8), NodeDevice("pc3/cuda:1", "cuda:0", NODE_ID, 8)],
    }


class FakeCluster:
    """The part of the module `ray` that the connector uses, with one node and an actor of another version."""

    exceptions = SimpleNamespace(RayError=RuntimeError, RayTaskError=KeyError)

    def __init__(self) -> None:
        self.joined = True
        self.error: Exception | None = None
        """What calls of the actor end with."""
        self.calls = 0
        self.killed: Any = None

    def nodes(self) -> list[dict[str, Any]]:
        return [node("pc1", CPU=1.0, alive=self.joined)]

    def kill(self, actor: Any) -> None:
        self.killed = actor

    def remote(self, cls: type) -> Any:
        actor = SimpleNamespace(version=SimpleNamespace(remote=self._version))
        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda *_: actor))

    async def _version(self) -> str:
        self.calls += 1
        if self.error:
            raise self.error
        return "older"


async def connected(test: Callable[[FakeCluster, Connector, list[dict[str, Any]]], Awaitable[None]]) -> None:
    """Run `test` with a cluster, its connector, and the list of the frames that it sends."""
    cluster, sent = FakeCluster(), list[dict[str, Any]]()
    connector = Connector(cluster, "bot", b"", sent.append)
    looking = asyncio.create_task(connector.look_at_nodes())
    await test(cluster, connector, sent)
    looking.cancel()


async def test_a_node_with_other_code_is_away_with_the_reason() -> None:
    async def test(_: FakeCluster, __: Connector, sent: list[dict[str, Any]]) -> None:
        await until(lambda: any("gone" in frame for frame in sent), "nothing is said of the device")
        assert sent[1]["gone"] == "pc1/cpu"
        assert "Run `git pull` on both machines" in sent[1]["why"]

    await connected(test)


async def test_the_bot_is_told_which_nodes_there_are_before_their_devices_have_answered() -> None:
    async def test(cluster: FakeCluster, _: Connector, sent: list[dict[str, Any]]) -> None:
        await until(lambda: bool(sent), "nothing is said of the node")
        assert sent[0] == {"nodes": {"pc1": ["pc1/cpu"]}}
        cluster.joined = False
        await until(lambda: {"nodes": {}} in sent, "nothing is said of the node that left")

    await connected(test)


class ActorError(RuntimeError):
    """An error of Ray about an actor."""

    def __init__(self, text: str, *, actor_init_failed: bool) -> None:
        super().__init__(text)
        self.actor_init_failed = actor_init_failed


@pytest.mark.parametrize(
    ("error", "is_printed"),
    [
        (ActorError("The actor died. Causes are: (1)", actor_init_failed=False), False),
        (ActorError("The actor died: no module torch", actor_init_failed=True), True),
        (RuntimeError("The memory of the node is too small"), True),
    ],
)
async def test_a_process_that_has_ended_is_told_in_a_sentence_and_only_other_errors_as_ray_words_them(
    error: Exception, is_printed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    async def test(cluster: FakeCluster, _: Connector, sent: list[dict[str, Any]]) -> None:
        cluster.error = error
        await until(lambda: {"gone": "pc1/cpu", "why": "Its process has ended."} in sent, "nothing is said of the end")
        assert (str(error) in capsys.readouterr().err) == is_printed

    await connected(test)


async def test_a_device_that_stays_away_is_told_once() -> None:
    async def test(cluster: FakeCluster, _: Connector, sent: list[dict[str, Any]]) -> None:
        cluster.error = RuntimeError("it has gone")
        await until(lambda: cluster.calls > 2, "it is not tried again")
        assert [frame for frame in sent if "gone" in frame] == [{"gone": "pc1/cpu", "why": "Its process has ended."}]

    await connected(test)


async def test_a_node_that_ray_was_started_on_without_the_code_is_away_with_what_is_missing() -> None:
    async def test(cluster: FakeCluster, _: Connector, sent: list[dict[str, Any]]) -> None:
        cluster.error = RuntimeError("ModuleNotFoundError: No module named 'inference'")
        await until(lambda: any("gone" in frame for frame in sent), "nothing is said of the device")
        assert sent[1]["why"].startswith("Ray does not find Inkling there.")

    await connected(test)


async def test_a_call_to_a_device_that_is_away_is_lost() -> None:
    async def test(_: FakeCluster, connector: Connector, sent: list[dict[str, Any]]) -> None:
        connector.take({"call": "1", "device": "pc1/cpu", "method": "run", "arguments": []})
        await until(lambda: {"call": "1", "lost": "The device is away."} in sent, "the call has no end")

    await connected(test)


async def test_a_node_that_leaves_is_told() -> None:
    async def test(cluster: FakeCluster, _: Connector, sent: list[dict[str, Any]]) -> None:
        await until(lambda: bool(sent), "nothing is said of the node")
        cluster.joined = False
        left = {"gone": "pc1/cpu", "why": "Its machine has left the cluster."}
        await until(lambda: left in sent, "the node is still there")

    await connected(test)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ConnectionError("refused"), "There is no Ray cluster at pc1:6379. docs/scaling.md says"),
        (
            ConnectionError("Failed to connect to Ray cluster at 192.168.1.10:6379"),
            "What answers at pc1:6379 is no Ray cluster that this machine may use. Check the port, and copy "
            "~/.ray/auth_token",
        ),
        (
            RuntimeError("Version mismatch: The cluster was started with:\n Ray: 2.60.0\n Python: 3.11.7\nThis process "
                         "was started with:\n Ray: 2.59.0\n Python: 3.12.1"),
            "The cluster has other versions than this machine (Ray 2.60.0, Python 3.11.7, Ray 2.59.0, Python 3.12.1).",
        ),
        (RuntimeError("InvalidAuthToken: token is missing"), "The cluster at pc1:6379 refused the token."),
        (ImportError("No module named 'ray'"), "Ray is not installed."),
    ],
)  # fmt: skip
def test_why_there_is_no_connection_is_a_sentence_with_the_next_step(error: Exception, sentence: str) -> None:
    assert reason_of("pc1:6379", error).startswith(sentence)
