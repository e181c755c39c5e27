"""Networks that OpenVINO computes, as modules that take the place of torch's."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from inference.pipelines.devices import Placement

_PRECISIONS = {torch.float32: "f32", torch.bfloat16: "bf16"}


def import_openvino() -> Any:
    """Return the module `openvino`, which is optional.

    It would report its use to its makers if the package openvino-telemetry were there, so that one can't be imported
    from now on.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino


class OpenVinoNetwork(torch.nn.Module):
    """A network read from an exported file. Its inputs and outputs are float32 or integers, on the CPU.

    Inside it computes in the dtype of `placement`. The weights stay in the file, which is mapped into memory, until the
    first call has reordered them.
    """

    def __init__(self, file: Path, placement: Placement) -> None:
        super().__init__()
        options = {
            "INFERENCE_PRECISION_HINT": _PRECISIONS[placement.dtype],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "NUM_STREAMS": "1",  # a device has one worker thread
        }
        compiled = import_openvino().Core().compile_model(file, "CPU", options)
        self._request: Any = compiled.create_infer_request()
        self._types = {part.any_name: part.element_type.to_dtype() for part in compiled.inputs}
        self.external_bytes = file.with_suffix(".bin").stat().st_size * placement.dtype.itemsize // 4

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(self._types)

    def compute(self, inputs: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Return the outputs in order. `inputs` are by name."""
        arrays = {name: inputs[name].detach().numpy().astype(kind) for name, kind in self._types.items()}
        outputs = self._request.infer(arrays, share_inputs=True)  # the outputs are copies
        return tuple(torch.from_numpy(outputs[index]) for index in range(len(outputs)))

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Compute a network with one input and one output."""
        [name] = self._types
        return self.compute({name: input})[0]
