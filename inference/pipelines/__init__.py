"""What runs models: a pipeline for each family, and the registry that finds the family of a repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inference.pipelines.compatibility import compatible_family, load_pipeline
from inference.pipelines.pipeline import Batch, Job, Pipeline, run_each, wrap_library_errors
from inference.pipelines.registry import family_of
from inference.types import ModelSpec

if TYPE_CHECKING:
    from inference.pipelines.devices import Placement

__all__ = ["Batch", "Job", "Pipeline", "family_of", "load", "run_each", "wrap_library_errors"]


def load(spec: ModelSpec, folder: Path, placement: Placement) -> Pipeline:
    """Read the model in `folder` onto its device; raise ModelUnavailable with a sentence."""
    with wrap_library_errors(loading=spec.name):
        family = compatible_family(spec, folder, placement.device.type)
        return load_pipeline(family, spec, folder, placement)
