"""Training of the captioner: an image encoder and a small GPT-2 that generates the name of a drawing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import (
    GPT2Config,
    GPT2Tokenizer,
    SegformerConfig,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTImageProcessorPil,
)
from transformers.convert_slow_tokenizer import bytes_to_unicode

from starter.drawings.artists import SIDE
from starter.drawings.collection import Collection, collect
from starter.drawings.colours import COLOURS
from starter.drawings.vocabulary import things
from starter.train.augment import augment
from starter.train.examples import to_tensor
from starter.train.loop import Schedule, Training
from starter.train.prompts import merges_for

CAPTIONER = Schedule(steps=13_000, rate=1e-3)
_BATCH_SIZE = 64
_DROPOUT = 0.1
_CATEGORIES_OF_ANY_HUE = ("animals", "vehicles", "sports and music", "things")
_OF_ANY_HUE = {
    thing.name
    for thing in things()
    if thing.category in _CATEGORIES_OF_ANY_HUE and thing.name.split()[0] not in COLOURS
}
_SPACE = "Ġ"  # GPT-2's symbol for a space before a word


class Naming:
    """Training task: generate the names of drawings, which are augmented each time."""

    def __init__(
        self,
        collection: Collection,
        tokenizer: GPT2Tokenizer,
        device: torch.device,
        network: Any = None,
        batch_size: int = _BATCH_SIZE,
    ) -> None:
        network = network or new_captioner(tokenizer)
        self.networks: Any = network.to(device)
        self._drawings = to_tensor(collection.pixels)
        self._labels = labels_of(tokenizer, collection.names)
        self._may_change_hue = torch.tensor([name in _OF_ANY_HUE for name in collection.names])
        self._device = device
        self._batch_size = batch_size

    def loss(self, generator: torch.Generator) -> Tensor:
        rows = torch.randint(len(self._drawings), (self._batch_size,), generator=generator)
        images = augment(self._drawings[rows], generator, self._may_change_hue[rows]) * 2 - 1
        dropout = torch.randint(2**62, (1,), generator=generator)
        torch.manual_seed(int(dropout))  # makes dropout the same in a resumed run
        with torch.autocast(self._device.type, torch.bfloat16):
            return self.networks(images.to(self._device), labels=self._labels[rows].to(self._device)).loss


def train_captioner(data: Path, device: torch.device, schedule: Schedule = CAPTIONER) -> Path:
    """Train in `data`/captioner, or resume the last run. Return the folder of the finished model.

    Raise RuntimeError if the drawings can't be downloaded.
    """
    folder = data / "captioner"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = new_tokenizer()
    torch.manual_seed(schedule.seed)  # for the initial weights
    training = Training(Naming(collect(data).for_training(), tokenizer, device), schedule, folder / "captioner.pt")
    training.run()
    save_captioner(training.averaged.eval(), tokenizer, folder / "model")
    return folder / "model"


def new_captioner(tokenizer: GPT2Tokenizer, width: int = 160, heads: int = 4) -> VisionEncoderDecoderModel:
    """Return an untrained model like ViT-GPT2: images of 64×64 pixels to tokens.

    The encoder is SegFormer's (Xie et al., 2021). It has convolutions between attention layers, and so needs fewer
    drawings for training than a ViT with plain patches.
    """
    attention_width: Any = {"hidden_size": width}  # for the decoder, which attends to the last layer's 4×4 positions
    encoder = SegformerConfig(
        num_encoder_blocks=3,
        depths=[1, 2, 2],
        hidden_sizes=[width // 4, width // 2, width],
        patch_sizes=[7, 3, 3],
        strides=[4, 2, 2],
        sr_ratios=[4, 2, 1],
        mlp_ratios=[4, 4, 4],
        num_attention_heads=[1, 2, heads],
        reshape_last_stage=False,
        hidden_dropout_prob=_DROPOUT,
        drop_path_rate=_DROPOUT,
        **attention_width,
    )
    eos_token_id: Any = tokenizer.eos_token_id
    decoder = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=16,
        n_embd=width,
        n_layer=2,
        n_head=heads,
        add_cross_attention=True,
        bos_token_id=eos_token_id,
        eos_token_id=eos_token_id,
        resid_pdrop=_DROPOUT,
        embd_pdrop=_DROPOUT,
        attn_pdrop=0,
    )
    token_names = ("decoder_start_token_id", "pad_token_id", "eos_token_id", "bos_token_id")
    return VisionEncoderDecoderModel(
        VisionEncoderDecoderConfig(
            encoder=encoder.to_dict(),
            decoder=decoder.to_dict() | {"is_decoder": True},
            **dict.fromkeys(token_names, eos_token_id),
        )
    )


def new_tokenizer() -> GPT2Tokenizer:
    """Return a tokenizer like GPT-2's with each word of the vocabulary as one token, and one special token."""
    merges: Any = merges_for(_SPACE + word for thing in things() for word in thing.name.split())
    letters = sorted(bytes_to_unicode().values())
    pieces = [*letters, *(first + second for first, second in merges), "<|endoftext|>"]
    vocab = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    return GPT2Tokenizer(vocab=vocab, merges=merges, pad_token="<|endoftext|>")


def labels_of(tokenizer: Any, names: tuple[str, ...]) -> Tensor:
    """Return token ids [n, longest] of the names, each with the end token, padded with -100 (ignored by the loss)."""
    rows = [torch.tensor([*tokenizer(f" {name}").input_ids, tokenizer.eos_token_id]) for name in names]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-100).contiguous()


def save_captioner(model: Any, tokenizer: GPT2Tokenizer, folder: Path) -> None:
    """Save the model to `folder` in half precision, as `inference` reads it."""
    size: Any = {"height": SIDE, "width": SIDE}
    ViTImageProcessorPil(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    model.half().save_pretrained(folder)
