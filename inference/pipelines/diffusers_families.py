"""The families of diffusers that draw pictures, by the names of their pipelines. torch is not imported."""

from __future__ import annotations

from inference.pipelines.library_names import listed_names, mapping_names

_AUTO_PIPELINE = "diffusers.pipelines.auto_pipeline"

STANDALONE_PIPELINES = frozenset(
    {
        "BriaPipeline",
        "HiDreamImagePipeline",
    }
)
"""Pipelines that draw and that diffusers' AutoPipeline does not know."""

_NEED_ANOTHER_MODEL = frozenset(
    {f"Kandinsky{version}{use}Pipeline" for version in ("", "V22") for use in ("", "Img2Img", "Inpaint")}
    | {"StableCascadeDecoderPipeline", "WuerstchenDecoderPipeline"}
    | {"StableDiffusionXLImg2ImgPipeline"}  # the refiner of SDXL
    # diffusers itself can't load what it saves of these two:
    | {"StableCascadeCombinedPipeline", "WuerstchenCombinedPipeline"}
)
"""Pipelines that draw only together with another model: a prior in another repository, or what a refiner refines."""

_WITH_OTHER_INPUTS = ("Control", "Helios", "ZImageOmni")
"""Parts of the names of pipelines that need inputs no request has, such as edges, or that draw videos."""

_UNTRIED = ("GlmImage", "Ideogram4", "Krea2", "NucleusMoE", "PRX", "QwenImage21")
"""Starts of the names of pipelines that no test has built yet. PRX needs the package ftfy, which is not installed."""


def draws_pictures(pipeline_class: str) -> bool:
    """Return whether a repository of this pipeline can draw from text, or a part of a picture."""
    if not pipeline_class or any(part in pipeline_class for part in _WITH_OTHER_INPUTS):
        return False
    if pipeline_class in _NEED_ANOTHER_MODEL or pipeline_class.startswith(_UNTRIED):
        return False
    return bool(text_to_image_class(pipeline_class))


def text_to_image_class(pipeline_class: str) -> str:
    """Return the name of the text-to-image pipeline of the same family; empty if there is none."""
    if pipeline_class in STANDALONE_PIPELINES:
        return pipeline_class
    text_to_image = mapping_names(_AUTO_PIPELINE, "AUTO_TEXT2IMAGE_PIPELINES_MAPPING")
    found = (
        text_to_image[model]
        for mapping in listed_names(_AUTO_PIPELINE, "SUPPORTED_TASKS_MAPPINGS")
        for model, pipeline in mapping_names(_AUTO_PIPELINE, mapping).items()
        if pipeline == pipeline_class and model in text_to_image
    )
    return str(next(found, ""))
