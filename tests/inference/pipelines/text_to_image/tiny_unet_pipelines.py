"""Tiny pipelines with random weights whose networks are U-Nets, beside Stable Diffusion."""

from __future__ import annotations

from typing import Any

import transformers

from tests.inference.pipelines.text_to_image.tiny_parts import (
    clip,
    library,
    movq,
    t5,
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
