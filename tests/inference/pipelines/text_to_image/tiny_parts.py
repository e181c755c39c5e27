"""Parts of tiny pipelines of diffusers: autoencoders, text encoders with their tokenizers, networks, schedulers."""

from __future__ import annotations

from typing import Any

import diffusers
import transformers
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing

library: Any = diffusers
"""Its types are narrower than what it takes."""

_LETTERS = sorted(ByteLevel.alphabet())
_CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['content'] if m['content'] is string else m['content'][0]['text'] }}"
    "{% endfor %}"
)
_SPECIAL = ["<pad>", "<unk>", "<s>", "</s>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "[gMASK]", "<sop>"]
WORDS = {word: index for index, word in enumerate([*_SPECIAL, *_LETTERS])}
_FLOW: dict[str, Any] = {"shift": 3.0}
SHIFTED: dict[str, Any] = {"use_dynamic_shifting": True}
DECODER: dict[str, Any] = {
    "vocab_size": len(WORDS),
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "pad_token_id": 0,
    "max_position_embeddings": 1024,
}


def autoencoder(latent_channels: int = 16, **options: Any) -> Any:
    """Return an autoencoder that makes one latent of 8 × 8 pixels."""
    return library.AutoencoderKL(
        block_out_channels=(4, 4, 4, 4),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=latent_channels,
        norm_num_groups=2,
        sample_size=64,
        **{"scaling_factor": 1.5, "shift_factor": 0.1, "use_quant_conv": False, "use_post_quant_conv": False} | options,
    )


def epsilon_autoencoder(latent_channels: int = 4) -> Any:
    return autoencoder(latent_channels, scaling_factor=0.18215, shift_factor=None)


def flux2_autoencoder() -> Any:
    vae = library.AutoencoderKLFlux2(
        block_out_channels=(4, 4, 4, 4), latent_channels=4, norm_num_groups=2, sample_size=64
    )
    vae.bn.running_mean.normal_()
    return vae


def qwen_autoencoder() -> Any:
    return library.AutoencoderKLQwenImage(
        base_dim=8, z_dim=4, num_res_blocks=1, latents_mean=[0.1] * 4, latents_std=[1.5] * 4
    )  # type: ignore[arg-type]


def t5(
    kind: Any = transformers.T5EncoderModel, config: Any = transformers.T5Config, width: int = 32
) -> tuple[Any, Any]:
    pieces = [
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", 0.0),
        ("▁", -1.0),
        *((letter, -2.0) for letter in "abcdefghijklmnop"),
    ]
    tokenizer = transformers.T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)  # type: ignore[arg-type]
    encoder = kind(config(vocab_size=len(pieces), d_model=width, d_kv=8, d_ff=37, num_layers=2, num_heads=4))
    return encoder, tokenizer


def clip(kind: Any = transformers.CLIPTextModel, length: int = 77) -> tuple[Any, Any]:
    ends = [letter + "</w>" for letter in _LETTERS]
    words = {word: i for i, word in enumerate([*_LETTERS, *ends, "<|startoftext|>", "<|endoftext|>"])}
    config = transformers.CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=37,
        projection_dim=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=length,
        bos_token_id=len(words) - 2,
        eos_token_id=len(words) - 1,
    )
    return kind(config), transformers.CLIPTokenizer(vocab=words, merges=[], model_max_length=77)


def bytes_tokenizer(kind: Any = transformers.Qwen2Tokenizer, **options: Any) -> Any:
    tokenizer = kind(vocab=WORDS, merges=[], **options)
    tokenizer.chat_template = _CHAT
    start = [("<s>", WORDS["<s>"])]  # as the tokenizers of real models, which never return no token at all
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=start)
    return tokenizer


def qwen3(kind: Any = transformers.Qwen3Model, **options: Any) -> tuple[Any, Any]:
    return kind(transformers.Qwen3Config(**DECODER | options)), bytes_tokenizer(pad_token="<pad>")


def gemma2() -> tuple[Any, Any]:
    return transformers.Gemma2Model(transformers.Gemma2Config(**DECODER)), bytes_tokenizer(
        transformers.GemmaTokenizer, eos_token="</s>", bos_token="<s>"
    )


def qwen_vl() -> tuple[Any, Any]:
    config = transformers.Qwen2_5_VLConfig(
        text_config=DECODER
        | {"rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e4}},
        vision_config={"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 32},
    )
    return transformers.Qwen2_5_VLForConditionalGeneration(config), bytes_tokenizer(pad_token="<pad>")


def flow(**options: Any) -> Any:
    return library.FlowMatchEulerDiscreteScheduler(**_FLOW | options)


def flux_transformer(kind: Any, channels: int = 16, **options: Any) -> Any:
    return kind(
        in_channels=channels,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        axes_dims_rope=(4, 4, 8),
        **options,
    )


def flux2_transformer(joint_attention_dim: int, **options: Any) -> Any:
    return library.Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=joint_attention_dim,
        axes_dims_rope=(4, 4, 4, 4),
        **options,
    )


def movq() -> Any:
    return library.VQModel(
        block_out_channels=(32, 32, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=2,
        num_vq_embeddings=12,
        up_block_types=("UpDecoderBlock2D",) * 3 + ("AttnUpDecoderBlock2D",),
        vq_embed_dim=4,
        norm_type="spatial",
    )
