"""What /metrics says after requests of each kind."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from aiohttp import ClientSession, web
from prometheus_client import CollectorRegistry

from cogs.client import Inkling
from cogs.common.discord_calls import DiscordCalls
from cogs.metrics.engine_metrics import EngineMetrics
from inference import (
    BatchEnded,
    DeviceUsed,
    Event,
    GenerationFailed,
    InferenceError,
    ModelLoaded,
    ModelUnloaded,
    Observation,
    Overloaded,
    PartialText,
    RequestEnded,
    RequestTimeout,
    Started,
)
from tests.cogs.metrics.pages import OPEN_METRICS, families, get, value
from tests.cogs.stage import PatientEngine, Stage, first
from tests.waiting import until

GPT2 = {"task": "complete", "model": "gpt2-large"}
NOT_ANSWERED: list[tuple[InferenceError, str]] = [
    (Overloaded("Full.", 1.0), "refused"),
    (GenerationFailed("It broke."), "failed"),
    (RequestTimeout("Too long."), "timed out"),
]


def ended(task: str = "complete", model: str = "gpt2-large", **changes: object) -> RequestEnded:
    values: dict[str, object] = {
        "id": "1f2e3d4c",
        "device": "cpu",
        "owner": "7",
        "group": "9",
        "outcome": "answered",
        "waited": 0.2,
        "ran": 2.0,
        "first_output": 0.3,
        "units": 64,
        "unit": "tokens",
    }
    return RequestEnded(task=task, model=model, **(values | changes))  # pyright: ignore[reportArgumentType]


class Observed:
    """The metrics of the engine alone, fed by the test."""

    def __init__(self, engine: PatientEngine) -> None:
        self.registry = CollectorRegistry()
        self.observe = EngineMetrics(engine, self.registry)

    def value(self, sample: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(sample, labels)


@pytest.fixture
def observed(engine: PatientEngine) -> Observed:
    return Observed(engine)


async def test_an_answered_request_is_counted_by_task_and_model(stage: Stage):
    assert await value(stage.bot, "inkling_requests_total", **GPT2, outcome="answered") == 0
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    assert await value(stage.bot, "inkling_requests_total", **GPT2, outcome="answered") == 1
    assert await value(stage.bot, "inkling_request_waiting_seconds_count", **GPT2) == 1
    assert await value(stage.bot, "inkling_first_output_seconds_count", **GPT2) == 1


@pytest.mark.parametrize(("error", "outcome"), NOT_ANSWERED)
async def test_a_request_that_was_not_answered_is_counted_by_its_outcome(
    stage: Stage, error: InferenceError, outcome: str
):
    stage.backend.script = lambda spec, request: [Started(), error]
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    assert await value(stage.bot, "inkling_requests_total", **GPT2, outcome=outcome) == 1
    assert await value(stage.bot, "inkling_requests_total", **GPT2, outcome="answered") == 0


async def test_a_cancelled_request_is_counted(stage: Stage):
    events: list[Event | InferenceError] = [Started(), PartialText(" and")]
    stage.backend.script = lambda spec, request: events
    result = await stage.alice.slash(stage.channel, "complete", prompt="Once")
    await stage.alice.click(first(result), label="Stop")
    assert await value(stage.bot, "inkling_requests_total", **GPT2, outcome="cancelled") == 1


async def test_the_queues_are_those_at_the_time_of_the_question(stage: Stage):
    stage.backend.waiting = 3
    assert await value(stage.bot, "inkling_queue_waiting", device="cpu") == 3
    assert await value(stage.bot, "inkling_queue_running", device="cpu") == 1
    stage.backend.waiting = 0
    assert await value(stage.bot, "inkling_queue_waiting", device="cpu") == 0
    assert await value(stage.bot, "inkling_queue_limit") == 64


async def test_the_loop_lag_and_the_process_are_measured(stage: Stage):
    async def measured() -> bool:
        return bool(await value(stage.bot, "inkling_event_loop_lag_seconds_count"))

    await until(measured, "the lag of the event loop was not measured")
    assert (await value(stage.bot, "process_resident_memory_bytes") or 0) > 10**7


async def test_reconnects_are_counted_after_the_first_connection(stage: Stage):
    assert await value(stage.bot, "inkling_gateway_connected") == 1
    stage.bot.dispatch("shard_disconnect", 0)
    await stage.env.settle()
    assert await value(stage.bot, "inkling_gateway_connected") == 0
    stage.bot.dispatch("shard_resumed", 0)
    await stage.env.settle()
    assert await value(stage.bot, "inkling_gateway_reconnects_total", session="resumed") == 1
    assert await value(stage.bot, "inkling_gateway_reconnects_total", session="new") == 0


async def test_requests_that_went_on_after_a_restart_are_counted(stage: Stage):
    cast(Inkling, stage.bot).sessions.resumed = 2
    assert await value(stage.bot, "inkling_jobs_resumed_total") == 2


async def test_the_id_of_a_request_is_an_exemplar_for_clients_that_read_those(stage: Stage):
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    waiting = (await families(stage.bot))["inkling_request_waiting_seconds"]
    exemplars = [sample.exemplar.labels for sample in waiting.samples if sample.exemplar]
    assert exemplars == [{"request_id": stage.backend.request_ids[0]}]
    _, content_type, text = await get(stage.bot, "/metrics")
    assert content_type.startswith("text/plain")
    assert stage.backend.request_ids[0] not in text
    _, content_type, _ = await get(stage.bot, "/metrics", OPEN_METRICS)
    assert content_type.startswith("application/openmetrics-text")


async def test_no_label_is_a_person_a_server_or_a_text(stage: Stage):
    await stage.alice.slash(stage.channel, "complete", prompt="Zaphod")
    _, _, text = await get(stage.bot, "/metrics", OPEN_METRICS)
    assert [word for word in (str(stage.alice.id), str(stage.guild.id), "Zaphod") if word in text] == []


def test_models_and_tasks_that_are_not_in_the_config_share_one_label(observed: Observed):
    before = len(_label_sets(observed))
    for number in range(50):
        observed.observe(ended(model=f"org/model-{number}"))
        observed.observe(ended(task=f"task-{number}"))
    assert observed.value("inkling_requests_total", task="complete", model="other", outcome="answered") == 50
    assert observed.value("inkling_requests_total", task="other", model="other", outcome="answered") == 50
    assert len(_label_sets(observed)) == before + 2


def _label_sets(observed: Observed) -> set[tuple[str, str]]:
    samples = [sample for family in observed.registry.collect() for sample in family.samples]
    return {(sample.labels["task"], sample.labels["model"]) for sample in samples if "task" in sample.labels}


def test_tokens_and_steps_are_counted_with_their_speed(observed: Observed):
    observed.observe(ended(units=64, ran=2.0))
    observed.observe(ended("imagine", "stable-diffusion-v1-4", units=25, unit="steps", ran=5.0))
    drawing = {"task": "imagine", "model": "stable-diffusion-v1-4"}
    assert observed.value("inkling_tokens_total", **GPT2) == 64
    assert observed.value("inkling_tokens_per_second_sum", **GPT2) == 32
    assert observed.value("inkling_diffusion_steps_total", **drawing) == 25
    assert observed.value("inkling_diffusion_steps_per_second_sum", **drawing) == 5
    assert observed.value("inkling_request_running_seconds_sum", **GPT2) == 2


def test_a_request_that_did_not_start_has_no_running_time_and_no_speed(observed: Observed):
    observed.observe(ended(outcome="cancelled", ran=0.0, first_output=None, units=0, unit=""))
    assert observed.value("inkling_requests_total", **GPT2, outcome="cancelled") == 1
    for name in ("request_running_seconds", "first_output_seconds", "tokens_per_second"):
        assert observed.value(f"inkling_{name}_count", **GPT2) is None


def test_batches_devices_and_models_are_counted(observed: Observed):
    observations: list[Observation] = [
        ModelLoaded("cuda:0", "gpt2-large", 10**9, 3.0),
        BatchEnded("cuda:0", "complete", "gpt2-large", 5, 1.0, memory=2 * 10**9),
        DeviceUsed("cuda:0", "7", "9", 1.5),
    ]
    for observation in observations:
        observed.observe(observation)
    on_device = {"device": "cuda:0", "model": "gpt2-large"}
    assert observed.value("inkling_batch_size_bucket", **GPT2, le="4.0") == 0
    assert observed.value("inkling_batch_size_bucket", **GPT2, le="6.0") == 1
    assert observed.value("inkling_device_memory_bytes", device="cuda:0") == 2 * 10**9
    assert observed.value("inkling_device_used_seconds_total", device="cuda:0") == 1.5
    assert observed.value("inkling_model_bytes", **on_device) == 10**9
    assert observed.value("inkling_model_load_seconds_sum", **on_device) == 3
    observed.observe(ModelUnloaded("cuda:0", "gpt2-large"))
    assert observed.value("inkling_model_bytes", **on_device) is None
    assert observed.value("inkling_model_unloads_total", **on_device) == 1


async def test_the_answers_of_discord_are_counted_by_status():
    async def limited(request: web.Request) -> web.Response:
        return web.Response(status=429)

    application = web.Application()
    application.add_routes([web.get("/limited", limited)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    calls = DiscordCalls()
    async with ClientSession(f"http://{host}:{port}", trace_configs=[calls.trace]) as session:
        for path in ("/limited", "/limited", "/missing"):
            async with session.get(path):
                pass
        await runner.cleanup()
        with pytest.raises(OSError):
            await session.get("/limited")
    assert calls.answers == {"429": 2, "404": 1, "none": 1}


def test_the_session_of_discord_py_is_the_one_that_is_counted(simcord_bot: Inkling):
    assert simcord_bot.http.http_trace is simcord_bot.calls.trace


async def test_the_number_of_answers_is_on_the_page(stage: Stage):
    cast(Inkling, stage.bot).calls.answers["429"] += 2
    assert await value(stage.bot, "inkling_discord_answers_total", status="429") == 2


async def test_many_observations_on_several_threads_are_all_counted(observed: Observed):
    def many() -> None:
        for _ in range(500):
            observed.observe(ended())

    await asyncio.gather(*(asyncio.to_thread(many) for _ in range(4)))
    assert observed.value("inkling_requests_total", **GPT2, outcome="answered") == 2000
