"""Test that the names read from source files are those that the imported libraries have."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import diffusers
import pytest
from diffusers.pipelines import auto_pipeline

from inference.pipelines.library_names import (
    exported_names,
    has_submodule,
    known_model_types,
    listed_names,
    mapping_names,
)
from inference.pipelines.registry import FAMILIES

CLASSES = "transformers.models.auto.modeling_auto"
PIPELINES = "diffusers.pipelines.auto_pipeline"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *sorted({(CLASSES, family.mapping) for family in FAMILIES if family.mapping}),
        ("transformers.integrations.ggml", "GGUF_CONFIG_MAPPING"),
        ("transformers.integrations.gguf.gguf_conversion_mapping", "GGUF_ARCHS"),
    ],
)
def test_a_mapping_is_read_as_it_is_imported(module: str, name: str) -> None:
    imported: Mapping[str, Any] = getattr(import_module(module), name)
    read = mapping_names(module, name)
    assert read.keys() == imported.keys()
    if module == CLASSES:
        assert read == dict(imported)


def test_the_types_of_models_are_those_with_a_config_in_transformers() -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    assert known_model_types() == CONFIG_MAPPING_NAMES.keys()


def test_the_pipelines_of_diffusers_are_read_as_they_are_imported() -> None:
    names = listed_names(PIPELINES, "SUPPORTED_TASKS_MAPPINGS")
    assert [getattr(auto_pipeline, name) for name in names] == auto_pipeline.SUPPORTED_TASKS_MAPPINGS
    for name in names:
        imported = {model: pipeline.__name__ for model, pipeline in getattr(auto_pipeline, name).items()}
        assert mapping_names(PIPELINES, name) == imported


def test_every_pipeline_that_diffusers_offers_is_known() -> None:
    pipelines = {name for name in dir(diffusers) if name.endswith("Pipeline")}
    assert pipelines <= exported_names("diffusers")
    assert "NoSuchPipeline" not in exported_names("diffusers")


def test_submodules_are_found_without_importing_the_package() -> None:
    assert has_submodule("diffusers.pipelines", "stable_diffusion")
    assert has_submodule("diffusers.pipelines", "auto_pipeline")
    assert not has_submodule("diffusers.pipelines", "painter")


def test_a_mapping_that_a_library_no_longer_has_is_an_error() -> None:
    with pytest.raises(LookupError, match="NO_SUCH_NAMES"):
        mapping_names(CLASSES, "NO_SUCH_NAMES")
