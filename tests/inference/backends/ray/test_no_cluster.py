"""Settings that name a cluster which is not there, or which does not answer."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import yaml

from inference import create_engine, load_config
from tests.inference.backends.ray.conftest import STARTER, config_for, free_port

SENTENCE = "There is no Ray cluster at {}. docs/scaling.md says under “Two PCs” how to start one."


def config_file(folder: Path, address: str, **settings: object) -> Path:
    file = folder / "config.yaml"
    models = {"imagine": [str(STARTER / "emoji-painter")], "caption": [str(STARTER / "emoji-captioner")]}
    file.write_text(yaml.safe_dump({"models": models, "ray": address, **settings}, sort_keys=False))
    return file


async def test_a_cluster_that_is_not_there_is_told_once_where_the_file_names_it(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    file = config_file(tmp_path, address, device=["cluster", "pc2/cuda:0"])
    engine = create_engine(load_config(file))
    try:
        problems = await asyncio.to_thread(engine.device_problems)
        assert problems == [f"line 6, ray: {SENTENCE.format(address)}"]
    finally:
        await engine.close()


def test_the_command_line_does_not_wait_for_a_cluster_and_says_so_in_one_line(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    file = config_file(tmp_path, address, device="cluster")
    command = [sys.executable, "-m", "inference", "--config", str(file), "imagine", "a red apple", "-o", "apple.png"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", SENTENCE.format(address) + "\n")


async def test_a_check_that_waits_for_an_answer_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = create_engine(config_for(f"127.0.0.1:{silent.getsockname()[1]}", tmp_path, "pc2/cpu"))
        checking = asyncio.create_task(asyncio.to_thread(engine.device_problems))
        connection, _ = await asyncio.to_thread(silent.accept)
        assert not checking.done()
        await engine.close()
        (problem,) = await checking
        connection.close()
    assert problem.startswith("ray: The Ray cluster at 127.0.0.1:")
    assert "has not answered yet" in problem
