"""Drawing with less work of the UNet: guidance on part of the steps, and deep features that are kept for some steps.

The caches of diffusers (`apply_faster_cache`, `apply_first_block_cache`, …) are for transformers, and its callbacks
that end guidance (`SDCFGCutoffCallback`) are for one image at a time, and not for UNets made for inpainting.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.hooks import HookRegistry, ModelHook
from diffusers.models.unets.unet_2d_blocks import CrossAttnUpBlock2D, UpBlock2D

from inference.tasks import FastMode

_HOOK = "inkling_fast_unet"


def supports_fast_mode(pipe: Any) -> bool:
    """Return whether the pipeline has a UNet with no other parts than `_shallow_forward` computes."""
    unet = getattr(pipe, "unet", None)
    if not isinstance(unet, UNet2DConditionModel) or not hasattr(unet, "up_blocks"):  # OpenVINO has them
        return False
    config: Any = unet.config
    parts = (config.center_input_sample, unet.class_embedding, unet.time_embed_act)
    is_usual = not any(parts) and config.addition_embed_type in (None, "text_time")
    return is_usual and isinstance(unet.up_blocks[-1], CrossAttnUpBlock2D | UpBlock2D)


@contextmanager
def fast_unet(pipe: Any, fast: FastMode | None) -> Generator[None]:
    """Leave out what `fast` says while one call of `pipe` draws. Without `fast`, change nothing."""
    if fast is None:
        yield
        return
    hook = _FastUNet(pipe, fast)
    registry = HookRegistry.check_if_exists_or_initialize(pipe.unet)
    registry.register_hook(hook, _HOOK)
    capture: Any = _last_layer(pipe.unet).register_forward_pre_hook(hook.keep_deep_features)
    try:
        yield
    finally:
        capture.remove()
        registry.remove_hook(_HOOK)


class _FastUNet(ModelHook):
    """Replaces the forward of a UNet. It counts its calls: a pipeline makes one in each of its `num_timesteps`."""

    def __init__(self, pipe: Any, fast: FastMode) -> None:
        super().__init__()
        assert fast.guidance_end is not None, "the model's own values are filled in before"
        self._pipe = pipe
        self._guidance_end = fast.guidance_end
        self._cache_interval = fast.cache_interval
        self._calls = 0
        self._deep_features = torch.empty(0)

    def new_forward(
        self, unet: Any, sample: torch.Tensor, timestep: Any, encoder_hidden_states: torch.Tensor, **options: Any
    ) -> tuple[torch.Tensor, ...]:
        """Return the prediction in a tuple. With guidance, the first half of the batch is without the prompt."""
        step, self._calls = self._calls, self._calls + 1
        forward = self._shallow_forward if step % self._cache_interval else self._full_forward
        guided = step < self._guidance_end * self._pipe.num_timesteps
        if guided or not self._pipe.do_classifier_free_guidance:
            return (forward(unet, sample, timestep, encoder_hidden_states, options),)
        inputs = _second_half((sample, encoder_hidden_states, options), len(sample))
        prediction = forward(unet, inputs[0], timestep, *inputs[1:])
        return (torch.cat([prediction, prediction]),)  # guidance multiplies the difference of both halves: none

    def keep_deep_features(self, layer: Any, args: tuple[torch.Tensor, ...]) -> None:
        """Keep what comes from the deep layers; the rest of the last layer's input comes straight from the first."""
        if self._cache_interval > 1:
            self._deep_features = args[0][:, : layer.in_channels - self._pipe.unet.conv_in.out_channels].clone()

    def _full_forward(
        self, _: Any, sample: torch.Tensor, timestep: Any, states: torch.Tensor, options: dict[str, Any]
    ) -> torch.Tensor:
        forward: Any = self.fn_ref.original_forward
        return forward(sample, timestep, states, **{**options, "return_dict": False})[0]

    def _shallow_forward(
        self, unet: Any, sample: torch.Tensor, timestep: Any, states: torch.Tensor, options: dict[str, Any]
    ) -> torch.Tensor:
        """Run the first and the last layer, as `UNet2DConditionModel.forward` does, around the kept features."""
        added = options.get("added_cond_kwargs")
        time = unet.time_embedding(unet.get_time_embed(sample, timestep), options.get("timestep_cond"))
        more = unet.get_aug_embed(time, states, added)
        time = time if more is None else time + more
        states = unet.process_encoder_hidden_states(states, added)
        block, deep = unet.up_blocks[-1], self._deep_features[-len(sample) :]  # guidance may have ended since
        hidden = torch.cat([deep, unet.conv_in(sample)], dim=1)
        hidden = block.resnets[-1](hidden, time)
        if isinstance(block, CrossAttnUpBlock2D):
            hidden = block.attentions[-1](hidden, encoder_hidden_states=states, return_dict=False)[0]
        if unet.conv_norm_out:
            hidden = unet.conv_act(unet.conv_norm_out(hidden))
        return unet.conv_out(hidden)


def _last_layer(unet: Any) -> Any:
    return unet.up_blocks[-1].resnets[-1]


def _second_half(value: Any, batch_size: int) -> Any:
    """Return the second half of every tensor with `batch_size` rows in nested tuples and dicts."""
    if isinstance(value, tuple):
        return tuple(_second_half(each, batch_size) for each in value)
    if isinstance(value, dict):
        return {name: _second_half(each, batch_size) for name, each in value.items()}
    if isinstance(value, torch.Tensor) and value.ndim and len(value) == batch_size:
        return value[batch_size // 2 :]
    return value
