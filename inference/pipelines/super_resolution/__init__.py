"""The pipeline for super-resolution: larger images with more detail."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Self

from PIL import Image

from inference.images.decoding import encode_png, opacity, open_picture, side_data
from inference.images.origin import encode_drawn
from inference.images.xmp import source_type_in, to_xmp
from inference.pipelines.devices import Placement
from inference.pipelines.pipeline import Batch, Job, Pipeline, out_of_memory, run_jobs, yield_to_others
from inference.pipelines.super_resolution.swin2sr import Swin2SR
from inference.pipelines.super_resolution.tiling import TileSize
from inference.tasks import UpscaledImage, UpscaleRequest
from inference.types import ModelSpec, Progress
from inference.types.errors import InvalidRequest


class SuperResolution(Pipeline):
    """A Swin2SR network. With a `factor`, results are scaled down to it if the network's own is larger."""

    def __init__(self, network: Swin2SR, factor: int = 0, tile_size: TileSize | None = None) -> None:
        self.nbytes = network.nbytes
        self._network = network
        self._factor = min(factor or network.factor, network.factor)
        self._tile_size = tile_size or TileSize()

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls(Swin2SR.load(folder, placement, spec.dtype), spec.upscale if spec.upscale > 1 else 0)

    def run(self, batch: Batch) -> None:
        run_jobs(batch, lambda job: self._upscale(batch, job))

    def _upscale(self, batch: Batch, job: Job) -> UpscaledImage:
        request = job.request
        assert isinstance(request, UpscaleRequest)
        # A picture that is too large is opened just large enough to be refused; the engine has checked the megapixels.
        image = open_picture(request.image, math.inf, max_edge=request.largest_side + 1, background=None)
        self._check_size(image, request.largest_side)
        size = (image.width * self._factor, image.height * self._factor)
        enlarged = self._enlarge(batch, job, image)
        if enlarged.size != size:
            enlarged = enlarged.resize(size, Image.Resampling.LANCZOS)
        alpha = opacity(request.image, request.largest_side + 1)
        if alpha and alpha.getextrema() != (255, 255):
            enlarged.putalpha(alpha.resize(size, Image.Resampling.BICUBIC))
        return UpscaledImage(_encode(enlarged, request), *size, image.width, image.height)

    def _check_size(self, image: Image.Image, largest_side: int) -> None:
        if max(image.size) * self._factor > largest_side:
            raise InvalidRequest(
                "This picture is too large to be enlarged {factor} times: the result may have {most:,} pixels on its "
                "longer side, so the picture may have {given:,}. Send a smaller one.",
                factor=self._factor,
                most=largest_side,
                given=largest_side // self._factor,
            )

    def _enlarge(self, batch: Batch, job: Job, image: Image.Image) -> Image.Image:
        """Enlarge the image, in smaller tiles if memory runs out. Raise OutOfMemory if the smallest do not help."""
        size: TileSize | None = self._tile_size
        done: list[Image.Image] = []
        error = None
        while size:
            tile_size = size
            error = out_of_memory(lambda: done.append(self._in_tiles(batch, job, image, tile_size)))  # noqa: B023
            if error is None:
                return done[0]
            batch.free_memory()
            size = size.halved()
        assert error
        raise error

    def _in_tiles(self, batch: Batch, job: Job, image: Image.Image, size: TileSize) -> Image.Image:
        def before_tile(finished: int, total: int) -> None:
            job.emit(Progress(finished, total))

        with self._network.interrupted_by(lambda: yield_to_others(batch, job)):
            return self._network.enlarge(image, size, before_tile)


def _encode(image: Image.Image, request: UpscaleRequest) -> bytes:
    """Return the PNG file, which says of its origin what the given file said.

    A picture that a model drew as a whole is marked anew, since its mark was enlarged with it.
    """
    file = side_data(request.image)
    parameters = request.parameters or file.texts.get("parameters", "")
    if not request.mark_origin:
        return encode_png(image, parameters)
    given = source_type_in(file.xmp)
    if given == "trainedAlgorithmicMedia":
        return encode_drawn(image, parameters, mark=True)
    is_composite = given == "compositeWithTrainedAlgorithmicMedia"
    return encode_png(image, parameters, to_xmp(given if is_composite else "algorithmicallyEnhanced"))
