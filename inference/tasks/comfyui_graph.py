"""Graphs of ComfyUI, from which a picture was drawn: nodes with inputs, and inputs that are links to other nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_TEXTS = ("text", "text_g", "t5xxl", "clip_l", "populated_text", "wildcard_text", "prompt", "string", "value", "text_0")
"""Inputs that hold a prompt, the likeliest first."""
_NUMBERS = {
    "seed": ("seed", "noise_seed"),
    "steps": ("steps",),
    "cfg": ("cfg",),
    "sampler_name": ("sampler_name",),
}
"""The inputs of a sampler for each field."""
_PARTS_OF_A_TEXT = re.compile(r"(?:string|text)_?[a-z0-9]")
"""Inputs of a node that joins texts by its `delimiter`."""
_MAX_JOINS = 16
"""Nodes that join texts, inside each other, at most."""
_LINKED_VALUES = ("value", "seed", "noise_seed", "int", "float", "number")
"""Inputs of a node that only passes on a number."""
_PARTS_OF_A_SAMPLER = ("noise", "sigmas", "guider", "sampler")
"""Links of a sampler that consists of several nodes."""
_NOT_A_PROMPT = ("model", "clip", "vae", "image", "control_net", "pixels", "mask", "latent_image")
"""Links that lead away from a prompt."""

_WIDGETS: Mapping[str, Sequence[str]] = {
    "KSampler": ("seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler"),
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeSDXL": ("", "", "", "", "", "", "text_g", "text_l"),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "EmptyLatentImage": ("width", "height"),
    "EmptySD3LatentImage": ("width", "height"),
    "RandomNoise": ("noise_seed",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "KSamplerSelect": ("sampler_name",),
    "CFGGuider": ("cfg",),
    "PrimitiveNode": ("value",),
}
"""The names of a node's values, which a workflow lists in this order without them."""

Node = Mapping[str, Any]
Graph = Mapping[str, Node]


def is_graph(value: Mapping[str, Any]) -> bool:
    """Return whether a JSON object is a graph as ComfyUI runs it."""
    return any(isinstance(node, dict) and "class_type" in node for node in value.values())


def is_workflow(value: Mapping[str, Any]) -> bool:
    """Return whether a JSON object is a workflow: a graph as ComfyUI's editor shows it."""
    return isinstance(value.get("nodes"), list) and isinstance(value.get("links"), list)


def workflow_graph(workflow: Mapping[str, Any]) -> dict[str, Any]:
    """Return the graph of a workflow, as far as its kinds of nodes are known."""
    links = dict(filter(None, map(_link, workflow["links"])))
    graph: dict[str, Any] = {}
    for node in workflow["nodes"]:
        if isinstance(node, dict):
            kind, values = str(node.get("type")), node.get("widgets_values")
            inputs = dict(values) if isinstance(values, dict) else {}
            if isinstance(values, list):
                inputs = dict(zip(_WIDGETS.get(kind, ()), values, strict=False))
            sources = node.get("inputs")
            for source in sources if isinstance(sources, list) else []:
                if isinstance(source, dict) and str(source.get("link")) in links:
                    inputs[str(source.get("name"))] = links[str(source["link"])]
            graph[str(node.get("id"))] = {"class_type": kind, "inputs": inputs}
    return graph


def _link(link: Any) -> tuple[str, list[Any]] | None:
    """Return the id of a workflow's link, and the node and the output that it comes from; None if it is none."""
    if isinstance(link, dict):
        return str(link.get("id")), [str(link.get("origin_id")), link.get("origin_slot")]
    return (str(link[0]), [str(link[1]), link[2]]) if isinstance(link, list) and len(link) > 2 else None


def graph_fields(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a graph draws: prompts, seed, steps, guidance, sampler and size, as far as they are found."""
    graph: Graph = {name: node for name, node in value.items() if isinstance(node, dict)}
    sampler, size = _first_pass(graph)
    if sampler is None:
        return {}
    fields = {name: _number(graph, sampler, inputs) for name, inputs in _NUMBERS.items()}
    prompts = {"prompt": _prompt(graph, sampler, "positive"), "negative_prompt": _prompt(graph, sampler, "negative")}
    return {name: value for name, value in {**fields, **prompts, **size}.items() if value is not None}


def _first_pass(graph: Graph) -> tuple[Node | None, dict[str, Any]]:
    """Return the sampler that begins with an empty picture, and its size; others draw over what came before.

    If none does, it is the first sampler, without a size.
    """
    samplers = [node for node in graph.values() if _is_sampler(node)]
    seen: set[int] = set()  # what is behind one sampler has no size, so that no other sampler has to look there again
    for sampler in samplers:
        if size := _size(graph, sampler, seen):
            return sampler, size
    return next(iter(samplers), None), {}


def _inputs(node: Node) -> dict[str, Any]:
    inputs = node.get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def _target(graph: Graph, value: Any) -> Node | None:
    """Return the node that an input is linked to; None if it is no link."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int):
        return graph.get(str(value[0]))
    return None


def _is_sampler(node: Node) -> bool:
    inputs = _inputs(node)
    return "latent_image" in inputs and any(isinstance(inputs.get(name), list) for name in ("positive", "guider"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _nodes_behind(graph: Graph, node: Node, seen: set[int], without: Sequence[str] = ()) -> Iterator[Node]:
    """Yield `node` and all nodes that it depends on, the nearest path first; links in `without` are not followed.

    Nodes in `seen` are left out, and those that were yielded are added to it.
    """
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            values = [value for name, value in _inputs(node).items() if name not in without]
            waiting += [target for value in reversed(values) if (target := _target(graph, value)) is not None]


def _size(graph: Graph, sampler: Node, seen: set[int]) -> dict[str, Any]:
    """Return width and height of the empty picture that a sampler begins with; nothing if there is none."""
    start = _target(graph, _inputs(sampler)["latent_image"])
    for node in _nodes_behind(graph, start, seen) if start else ():
        inputs = _inputs(node)
        prefix = "" if "Empty" in str(node.get("class_type")) else "empty_latent_"
        sides = {name: _value(graph, inputs.get(prefix + name)) for name in ("width", "height")}
        if all(sides.values()):
            return sides
    return {}


def _number(graph: Graph, sampler: Node, names: Sequence[str]) -> Any:
    """Return the first value of `names` among the inputs of a sampler, or of the nodes that it consists of."""
    parts = [_target(graph, _inputs(sampler).get(part)) for part in _PARTS_OF_A_SAMPLER]
    for node in (sampler, *filter(None, parts)):
        for name in names:
            if (value := _value(graph, _inputs(node).get(name))) is not None:
                return value
    return None


def _value(graph: Graph, value: Any) -> Any:
    """Return a plain value; that of the node that passes it on, if it is a link; None if there is none."""
    if (node := _target(graph, value)) is not None:
        value = next((_inputs(node)[name] for name in _LINKED_VALUES if name in _inputs(node)), None)
    return value if _is_number(value) or isinstance(value, str) else None


def _prompt(graph: Graph, sampler: Node, role: str) -> str | None:
    """Return the text that a sampler's `positive` or `negative` input leads to."""
    owner = _target(graph, _inputs(sampler).get("guider")) or sampler
    start = _inputs(owner).get(role)
    if start is None and role == "positive":
        start = _inputs(owner).get("conditioning")
    node = _target(graph, start)
    other = "negative" if role == "positive" else "positive"
    names = (role, f"text_{role}", *_TEXTS)
    return _text(graph, node, names, (*_NOT_A_PROMPT, other), set(), _MAX_JOINS) if node else None


def _text(
    graph: Graph, node: Node, names: Sequence[str], without: Sequence[str], seen: set[int], joins: int
) -> str | None:
    """Return the text of `node`, or of the nearest one that it depends on and that has one; None if none has."""
    for each in _nodes_behind(graph, node, seen, without):
        inputs = _inputs(each)
        if "ZeroOut" in str(each.get("class_type")):
            return None  # takes the other prompt and keeps nothing of it
        if isinstance(delimiter := inputs.get("delimiter"), str) and joins:
            parts = [value for name, value in sorted(inputs.items()) if _PARTS_OF_A_TEXT.fullmatch(name)]
            texts = (
                _text(graph, target, names, without, seen, joins - 1) if (target := _target(graph, part)) else part
                for part in parts
            )
            return delimiter.join(text for text in texts if isinstance(text, str) and text) or None
        if text := next((text for name in names if isinstance(text := inputs.get(name), str) and text), None):
            return text
    return None
