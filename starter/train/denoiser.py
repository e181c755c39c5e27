"""The denoiser of the image model: a text encoder and a UNet, trained together on noisy latents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as functional
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from starter.train.autoencoder import LATENT_CHANNELS
from starter.train.examples import Examples
from starter.train.prompts import LENGTH, encode_prompts, random_prompt

_BATCH_SIZE = 48
_UNCONDITIONAL_SHARE = 0.1
_WORD_WIDTH = 192


class Denoiser(nn.Module):
    """The text encoder and the UNet."""

    def __init__(self, tokenizer: CLIPTokenizer, widths: tuple[int, ...] = (128, 192), word_width: int = _WORD_WIDTH):
        super().__init__()
        self.text_encoder: Any = _new_text_encoder(tokenizer, word_width)
        self.unet: Any = UNet2DConditionModel(
            sample_size=8,
            in_channels=LATENT_CHANNELS,
            out_channels=LATENT_CHANNELS,
            down_block_types=("CrossAttnDownBlock2D",) * len(widths),
            up_block_types=("CrossAttnUpBlock2D",) * len(widths),
            block_out_channels=widths,
            layers_per_block=1,
            cross_attention_dim=word_width,
            attention_head_dim=4,  # the number of heads, despite its name in diffusers
            norm_num_groups=16,
        )
        self.unet.set_attn_processor(AttnProcessor())  # the fused kernel's backward pass is slow on CPUs

    def forward(self, latents: Tensor, timesteps: Tensor, tokens: Tensor) -> Tensor:
        """Return velocities [n, 12, 8, 8] of noisy latents at timesteps [n] from 0 to 999, for prompts [n, 16]."""
        word_states = self.text_encoder(tokens).last_hidden_state  # [n, 16, width]
        return self.unet(latents, timesteps, word_states).sample


def new_scheduler() -> DDIMScheduler:
    """Return a scheduler for v-prediction with zero terminal SNR.

    Source: Lin et al., "Common Diffusion Noise Schedules and Sample Steps Are Flawed".
    """
    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        set_alpha_to_one=False,
        steps_offset=1,
        timestep_spacing="trailing",
    )


class Denoising:
    """Training task: predict the velocity of noisy latents. Some prompts are left out, for guidance."""

    def __init__(
        self,
        examples: Sequence[Examples],
        shares: Sequence[float],
        tokenizer: CLIPTokenizer,
        device: torch.device,
        networks: Denoiser | None = None,
        batch_size: int = _BATCH_SIZE,
    ) -> None:
        """Each example of a batch comes from one of the sets in `examples`, with the probabilities `shares`."""
        self.networks: Denoiser = (networks or Denoiser(tokenizer)).to(device)
        self._examples = examples
        self._shares = torch.tensor(shares)
        self._tokenizer = tokenizer
        self._scheduler = new_scheduler()
        self._device = device
        self._batch_size = batch_size

    def loss(self, generator: torch.Generator) -> Tensor:
        latents, names = self._random_examples(generator)
        prompts = [random_prompt(name, generator) for name in names]
        without_prompt = torch.rand(self._batch_size, generator=generator) < _UNCONDITIONAL_SHARE
        tokens = encode_prompts(
            self._tokenizer, ["" if empty else p for p, empty in zip(prompts, without_prompt, strict=True)]
        )
        timesteps = torch.randint(1000, (self._batch_size,), generator=generator)
        noise = torch.randn(latents.shape, generator=generator)
        noisy = self._scheduler.add_noise(latents, noise, timesteps)  # type: ignore[arg-type]
        velocity = self._scheduler.get_velocity(latents, noise, timesteps)  # type: ignore[arg-type]
        with torch.autocast(self._device.type, torch.bfloat16):
            predicted = self.networks(noisy.to(self._device), timesteps.to(self._device), tokens.to(self._device))
        return functional.mse_loss(predicted.float(), velocity.to(self._device))

    def _random_examples(self, generator: torch.Generator) -> tuple[Tensor, list[str]]:
        sets = torch.multinomial(self._shares, self._batch_size, replacement=True, generator=generator).tolist()
        chosen = [self._examples[i].random_example(generator) for i in sets]
        return torch.stack([latent for latent, _ in chosen]), [name for _, name in chosen]


def _new_text_encoder(tokenizer: Any, width: int) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)
