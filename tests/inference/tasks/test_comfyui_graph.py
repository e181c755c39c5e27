"""Test that a ComfyUI graph is followed to its prompt, however many nodes it has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from inference import infotext
from inference.tasks.comfyui_graph import graph_fields
from tests.inference.tasks.foreign_pictures import COMFYUI, FOX, SAMPLER, png


def with_text(**nodes: dict[str, Any]) -> dict[str, Any]:
    """Return a graph whose prompt comes from these nodes, the first of which is `a`."""
    encoder = {"class_type": "CLIPTextEncode", "inputs": {"text": ["a", 0]}}
    return {**COMFYUI, "6": encoder, **{name: {"class_type": name, "inputs": node} for name, node in nodes.items()}}


@pytest.mark.parametrize(
    ("graph", "prompt"),
    [
        (with_text(a={"delimiter": ", ", "string_a": "a fox", "string_b": "snow"}), "a fox, snow"),
        (
            with_text(a={"delimiter": " ", "text_a": ["b", 0], "text_c": "x", "text_b": ["c", 0]}, b={"string": "a"}),
            "a x",
        ),
        (with_text(a={"delimiter": " ", "text1": ["a", 0], "text2": "a fox"}), "a fox"),
        (with_text(a={"text": ["b", 0], "text_0": "a fox"}, b={"instruction": "Write a prompt."}), "a fox"),
    ],
)
def test_a_prompt_that_a_graph_joins_from_parts_is_whole(graph: dict[str, Any], prompt: str) -> None:
    assert graph_fields(graph)["prompt"] == prompt


def test_a_negative_prompt_that_is_zeroed_out_is_none() -> None:
    zeroed = {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}}
    assert infotext.read(png(prompt={**COMFYUI, "7": zeroed})) == replace(FOX, negative_prompt="")


def test_a_chain_of_nodes_that_join_texts_is_read_in_time() -> None:
    chain = {f"n{i}": {"delimiter": "", "text_a": [f"n{i + 1}", 0], "text_b": [f"n{i + 1}", 0]} for i in range(5000)}
    assert "prompt" not in graph_fields(with_text(a={"delimiter": "", "text_a": ["n0", 0]}, **chain))


class CountedNode(dict[str, Any]):
    """A node that counts how often nodes are looked into."""

    looks = 0

    def get(self, key: str, default: Any = None, /) -> Any:
        CountedNode.looks += 1
        return super().get(key, default)


def looks_at(samplers: int) -> int:
    """Return how often nodes are looked into in a chain of samplers without a size."""
    prompts = {"positive": ["text", 0], "negative": ["text", 0]}
    graph = {
        str(number): CountedNode(inputs={**SAMPLER, **prompts, "latent_image": [str(number + 1), 0]})
        for number in range(samplers)
    }
    CountedNode.looks = 0
    assert graph_fields({**graph, "text": {"inputs": {"text": "a fox"}}})["prompt"] == "a fox"
    return CountedNode.looks


def test_a_graph_of_many_samplers_is_read_in_linear_time() -> None:
    assert looks_at(400) < 2.1 * looks_at(200)
