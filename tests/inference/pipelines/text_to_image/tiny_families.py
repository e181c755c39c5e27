"""Tiny pipelines with random weights of the families that diffusers draws with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffusers
import torch
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
_WORDS = {word: index for index, word in enumerate([*_SPECIAL, *_LETTERS])}
_FLOW: dict[str, Any] = {"shift": 3.0}
_SHIFTED: dict[str, Any] = {"use_dynamic_shifting": True}
_DECODER: dict[str, Any] = {
    "vocab_size": len(_WORDS),
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
    tokenizer = kind(vocab=_WORDS, merges=[], **options)
    tokenizer.chat_template = _CHAT
    start = [("<s>", _WORDS["<s>"])]  # as the tokenizers of real models, which never return no token at all
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=start)
    return tokenizer


def qwen3(kind: Any = transformers.Qwen3Model, **options: Any) -> tuple[Any, Any]:
    return kind(transformers.Qwen3Config(**_DECODER | options)), bytes_tokenizer(pad_token="<pad>")


def gemma2() -> tuple[Any, Any]:
    return transformers.Gemma2Model(transformers.Gemma2Config(**_DECODER)), bytes_tokenizer(
        transformers.GemmaTokenizer, eos_token="</s>", bos_token="<s>"
    )


def qwen_vl() -> tuple[Any, Any]:
    config = transformers.Qwen2_5_VLConfig(
        text_config=_DECODER
        | {"rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e4}},
        vision_config={"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 32},
    )
    return transformers.Qwen2_5_VLForConditionalGeneration(config), bytes_tokenizer(pad_token="<pad>")


def flow(**options: Any) -> Any:
    return library.FlowMatchEulerDiscreteScheduler(**_FLOW | options)


def pixart(kind: Any = library.PixArtAlphaPipeline) -> Any:
    encoder, tokenizer = t5()
    transformer = library.PixArtTransformer2DModel(
        sample_size=8,
        num_layers=2,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        caption_channels=32,
        norm_num_groups=1,
        use_additional_conditions=False,
    )
    return kind(tokenizer, encoder, epsilon_autoencoder(), transformer, library.DPMSolverMultistepScheduler())


def sana() -> Any:
    encoder, tokenizer = gemma2()
    transformer = library.SanaTransformer2DModel(
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_attention_heads=2,
        attention_head_dim=4,
        num_cross_attention_heads=2,
        cross_attention_head_dim=4,
        cross_attention_dim=8,
        caption_channels=32,
        sample_size=8,
    )
    vae = library.AutoencoderDC(
        latent_channels=4,
        attention_head_dim=2,
        encoder_block_types=("ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        encoder_qkv_multiscales=((), (5,)),
        decoder_qkv_multiscales=((), (5,)),
        encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=(1, 1),
        downsample_block_type="conv",
        upsample_block_type="interpolate",
        decoder_norm_types="rms_norm",
        decoder_act_fns="silu",
        scaling_factor=0.41407,
    )
    return library.SanaPipeline(tokenizer, encoder, vae, transformer, flow())


def auraflow() -> Any:
    encoder, tokenizer = t5(transformers.UMT5EncoderModel, transformers.UMT5Config)
    transformer = library.AuraFlowTransformer2DModel(
        sample_size=8,
        num_mmdit_layers=1,
        num_single_dit_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=32,
        caption_projection_dim=32,
        pos_embed_max_size=256,
    )
    return library.AuraFlowPipeline(tokenizer, encoder, epsilon_autoencoder(), transformer, flow())


def _flux_transformer(kind: Any, channels: int = 16, **options: Any) -> Any:
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


def flux() -> Any:
    encoder, tokenizer = clip()
    encoder_2, tokenizer_2 = t5()
    transformer = _flux_transformer(library.FluxTransformer2DModel, pooled_projection_dim=32, guidance_embeds=True)
    return library.FluxPipeline(
        flow(**_SHIFTED), autoencoder(4), encoder, tokenizer, encoder_2, tokenizer_2, transformer
    )


def chroma() -> Any:
    encoder, tokenizer = t5()
    transformer = _flux_transformer(
        library.ChromaTransformer2DModel,
        approximator_num_channels=8,
        approximator_hidden_dim=32,
        approximator_layers=1,
    )
    return library.ChromaPipeline(flow(**_SHIFTED), autoencoder(4), encoder, tokenizer, transformer)


def ovis() -> Any:
    encoder, tokenizer = qwen3()
    transformer = _flux_transformer(library.OvisImageTransformer2DModel, out_channels=16)
    return library.OvisImagePipeline(flow(**_SHIFTED), autoencoder(4), encoder, tokenizer, transformer)


def bria() -> Any:
    encoder, tokenizer = t5()
    transformer = _flux_transformer(library.BriaTransformer2DModel)
    return library.BriaPipeline(transformer, flow(**_SHIFTED), autoencoder(4), encoder, tokenizer)


def _flux2_transformer() -> Any:
    return library.Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=96,
        timestep_guidance_channels=8,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )


def flux2_klein() -> Any:
    encoder, tokenizer = qwen3(transformers.Qwen3ForCausalLM, num_hidden_layers=28)
    return library.Flux2KleinPipeline(flow(**_SHIFTED), flux2_autoencoder(), encoder, tokenizer, _flux2_transformer())


def stable_diffusion_3() -> Any:
    one, two = (clip(transformers.CLIPTextModelWithProjection) for _ in range(2))
    three = t5(width=64)
    transformer = library.SD3Transformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=16,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=64,
        caption_projection_dim=32,
        pooled_projection_dim=64,
        out_channels=16,
    )
    return library.StableDiffusion3Pipeline(transformer, flow(), autoencoder(16), *one, *two, *three)


def cogview3() -> Any:
    encoder, tokenizer = t5()
    transformer = library.CogView3PlusTransformer2DModel(
        in_channels=4,
        out_channels=4,
        num_layers=1,
        attention_head_dim=4,
        num_attention_heads=2,
        text_embed_dim=32,
        time_embed_dim=8,
        condition_dim=2,
        pos_embed_max_size=8,
        sample_size=8,
    )
    return library.CogView3PlusPipeline(
        tokenizer, encoder, epsilon_autoencoder(), transformer, library.CogVideoXDPMScheduler()
    )


def cogview4() -> Any:
    encoder = transformers.GlmModel(transformers.GlmConfig(**_DECODER, attention_bias=False))
    transformer = library.CogView4Transformer2DModel(
        in_channels=4,
        out_channels=4,
        num_layers=1,
        attention_head_dim=4,
        num_attention_heads=4,
        text_embed_dim=32,
        time_embed_dim=8,
        condition_dim=4,
        sample_size=8,
    )
    scheduler = flow(
        base_shift=0.25, max_shift=0.75, base_image_seq_len=256, use_dynamic_shifting=True, time_shift_type="linear"
    )
    return library.CogView4Pipeline(
        bytes_tokenizer(pad_token="<pad>", padding_side="left"), encoder, epsilon_autoencoder(), transformer, scheduler
    )


def lumina() -> Any:
    encoder = transformers.GemmaModel(transformers.GemmaConfig(**_DECODER))
    tokenizer = bytes_tokenizer(transformers.GemmaTokenizer, eos_token="</s>", bos_token="<s>")
    transformer = library.LuminaNextDiT2DModel(
        sample_size=8,
        hidden_size=24,
        num_layers=1,
        num_attention_heads=3,
        num_kv_heads=1,
        multiple_of=16,
        cross_attention_dim=32,
    )
    return library.LuminaPipeline(transformer, flow(), epsilon_autoencoder(), encoder, tokenizer)


def lumina2() -> Any:
    encoder, tokenizer = gemma2()
    transformer = library.Lumina2Transformer2DModel(
        sample_size=8,
        in_channels=4,
        hidden_size=24,
        num_layers=1,
        num_refiner_layers=1,
        num_attention_heads=3,
        num_kv_heads=1,
        multiple_of=2,
        axes_dim_rope=(4, 2, 2),
        axes_lens=(512, 64, 64),
        cap_feat_dim=32,
    )
    return library.Lumina2Pipeline(transformer, flow(), autoencoder(4), encoder, tokenizer)


def hidream() -> Any:
    one, two = (clip(transformers.CLIPTextModelWithProjection, length=248) for _ in range(2))
    llama = transformers.LlamaForCausalLM(transformers.LlamaConfig(**_DECODER))
    tokenizer = bytes_tokenizer(transformers.LlamaTokenizer)
    transformer = library.HiDreamImageTransformer2DModel(
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_channels=[32, 32],
        text_emb_dim=64,
        axes_dims_rope=(4, 2, 2),
        max_resolution=(16, 16),
        llama_layers=[0, 1],
    )
    return library.HiDreamImagePipeline(
        flow(**_SHIFTED), autoencoder(4), *one, *two, *t5(), llama, tokenizer, transformer
    )


def hunyuan_dit() -> Any:
    words = {
        word: index
        for index, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"])
    }
    bert = transformers.BertModel(
        transformers.BertConfig(
            vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
        )
    )
    encoder, tokenizer = t5()
    transformer = library.HunyuanDiT2DModel(
        sample_size=8,
        num_layers=2,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=3,
        in_channels=4,
        cross_attention_dim=32,
        cross_attention_dim_t5=32,
        pooled_projection_dim=16,
        hidden_size=24,
        activation_fn="gelu-approximate",
    )
    return library.HunyuanDiTPipeline(
        epsilon_autoencoder(),
        bert,
        transformers.BertTokenizer(vocab=words),
        transformer,
        library.DDPMScheduler(),
        None,
        None,
        requires_safety_checker=False,
        text_encoder_2=encoder,
        tokenizer_2=tokenizer,
    )


def qwen_image() -> Any:
    encoder, tokenizer = qwen_vl()
    transformer = library.QwenImageTransformer2DModel(
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        axes_dims_rope=(8, 4, 4),
    )
    return library.QwenImagePipeline(flow(**_SHIFTED), qwen_autoencoder(), encoder, tokenizer, transformer)


def z_image() -> Any:
    encoder, tokenizer = qwen3()
    transformer = library.ZImageTransformer2DModel(
        in_channels=4,
        dim=32,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=32,
        axes_dims=[8, 4, 4],
        axes_lens=[512, 128, 128],
    )
    return library.ZImagePipeline(flow(), autoencoder(4), encoder, tokenizer, transformer)


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


def kandinsky22() -> Any:
    encoder, tokenizer = clip(transformers.CLIPTextModelWithProjection)
    vision = transformers.CLIPVisionModelWithProjection(
        transformers.CLIPVisionConfig(
            hidden_size=32,
            image_size=224,
            projection_dim=32,
            intermediate_size=37,
            num_attention_heads=4,
            num_hidden_layers=1,
            patch_size=56,
        )
    )
    prior = library.PriorTransformer(num_attention_heads=2, attention_head_dim=12, embedding_dim=32, num_layers=1)
    unet = library.UNet2DConditionModel(
        in_channels=4,
        out_channels=8,
        addition_embed_type="image",
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        block_out_channels=(32, 64),
        layers_per_block=1,
        encoder_hid_dim=32,
        encoder_hid_dim_type="image_proj",
        cross_attention_dim=32,
        attention_head_dim=4,
        resnet_time_scale_shift="scale_shift",
        class_embed_type=None,
    )
    scheduler = library.DDPMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="linear",
        clip_sample=False,
        variance_type="learned_range",
        thresholding=False,
    )
    prior_scheduler = library.UnCLIPScheduler(
        variance_type="fixed_small_log", prediction_type="sample", num_train_timesteps=1000, clip_sample_range=5.0
    )
    return library.KandinskyV22CombinedPipeline(
        unet,
        scheduler,
        movq(),
        prior,
        vision,
        encoder,
        tokenizer,
        prior_scheduler,
        transformers.CLIPImageProcessorPil(size=224, crop_size=224),
    )


def kandinsky3() -> Any:
    encoder, tokenizer = t5()
    unet = library.Kandinsky3UNet(
        in_channels=4,
        time_embedding_dim=4,
        groups=2,
        attention_head_dim=4,
        layers_per_block=3,
        block_out_channels=(32, 64),
        cross_attention_dim=4,
        encoder_hid_dim=32,
    )
    return library.Kandinsky3Pipeline(
        tokenizer,
        encoder,
        unet,
        library.DDPMScheduler(beta_schedule="squaredcos_cap_v2", clip_sample=True, thresholding=False, steps_offset=1),
        movq(),
    )


def deepfloyd() -> Any:
    encoder, tokenizer = t5()
    unet = library.UNet2DConditionModel(
        sample_size=32,
        layers_per_block=1,
        block_out_channels=(32, 64),
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        in_channels=3,
        out_channels=6,
        cross_attention_dim=32,
        encoder_hid_dim=32,
        attention_head_dim=8,
        addition_embed_type="text",
        addition_embed_type_num_heads=2,
        cross_attention_norm="group_norm",
        resnet_time_scale_shift="scale_shift",
        act_fn="gelu",
    )
    scheduler = library.DDPMScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        thresholding=True,
        dynamic_thresholding_ratio=0.95,
        sample_max_value=1.0,
        prediction_type="epsilon",
        variance_type="learned_range",
    )
    return library.IFPipeline(tokenizer, encoder, unet, scheduler, None, None, None, requires_safety_checker=False)


FAMILIES: dict[str, Callable[[], Any]] = {
    "Stable Diffusion 3": stable_diffusion_3,
    "FLUX": flux,
    "FLUX 2 Klein": flux2_klein,
    "Chroma": chroma,
    "Ovis": ovis,
    "Bria": bria,
    "PixArt alpha": pixart,
    "PixArt sigma": lambda: pixart(library.PixArtSigmaPipeline),
    "Sana": sana,
    "AuraFlow": auraflow,
    "CogView 3": cogview3,
    "CogView 4": cogview4,
    "Lumina": lumina,
    "Lumina 2": lumina2,
    "HiDream": hidream,
    "HunyuanDiT": hunyuan_dit,
    "Qwen-Image": qwen_image,
    "Z-Image": z_image,
    "Kandinsky 2.2": kandinsky22,
    "Kandinsky 3": kandinsky3,
    "DeepFloyd IF": deepfloyd,
}


def tiny_pipeline(name: str) -> Any:
    """Return the tiny pipeline of a family. Its weights are always the same."""
    torch.manual_seed(0)
    pipe = FAMILIES[name]()
    pipe.set_progress_bar_config(disable=True)
    return pipe
