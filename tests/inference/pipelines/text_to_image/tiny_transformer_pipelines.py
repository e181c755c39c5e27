"""Tiny pipelines with random weights whose networks are transformers."""

from __future__ import annotations

from typing import Any

import transformers

from tests.inference.pipelines.text_to_image.tiny_parts import (
    DECODER,
    SHIFTED,
    autoencoder,
    bytes_tokenizer,
    clip,
    epsilon_autoencoder,
    flow,
    flux2_autoencoder,
    flux2_transformer,
    flux_transformer,
    gemma2,
    library,
    qwen3,
    qwen_autoencoder,
    qwen_vl,
    t5,
)


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


def flux() -> Any:
    encoder, tokenizer = clip()
    encoder_2, tokenizer_2 = t5()
    transformer = flux_transformer(library.FluxTransformer2DModel, pooled_projection_dim=32, guidance_embeds=True)
    return library.FluxPipeline(
        flow(**SHIFTED), autoencoder(4), encoder, tokenizer, encoder_2, tokenizer_2, transformer
    )


def chroma() -> Any:
    encoder, tokenizer = t5()
    transformer = flux_transformer(
        library.ChromaTransformer2DModel,
        approximator_num_channels=8,
        approximator_hidden_dim=32,
        approximator_layers=1,
    )
    return library.ChromaPipeline(flow(**SHIFTED), autoencoder(4), encoder, tokenizer, transformer)


def ovis() -> Any:
    encoder, tokenizer = qwen3()
    transformer = flux_transformer(library.OvisImageTransformer2DModel, out_channels=16)
    return library.OvisImagePipeline(flow(**SHIFTED), autoencoder(4), encoder, tokenizer, transformer)


def bria() -> Any:
    encoder, tokenizer = t5()
    transformer = flux_transformer(library.BriaTransformer2DModel)
    return library.BriaPipeline(transformer, flow(**SHIFTED), autoencoder(4), encoder, tokenizer)


def flux2_klein() -> Any:
    encoder, tokenizer = qwen3(transformers.Qwen3ForCausalLM, num_hidden_layers=28)
    return library.Flux2KleinPipeline(
        flow(**SHIFTED),
        flux2_autoencoder(),
        encoder,
        tokenizer,
        flux2_transformer(96, timestep_guidance_channels=8, guidance_embeds=False),
    )


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
    encoder = transformers.GlmModel(transformers.GlmConfig(**DECODER, attention_bias=False))
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
    encoder = transformers.GemmaModel(transformers.GemmaConfig(**DECODER))
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
    llama = transformers.LlamaForCausalLM(transformers.LlamaConfig(**DECODER))
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
        flow(**SHIFTED), autoencoder(4), *one, *two, *t5(), llama, tokenizer, transformer
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
    return library.QwenImagePipeline(flow(**SHIFTED), qwen_autoencoder(), encoder, tokenizer, transformer)


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
