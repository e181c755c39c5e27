"""llama.cpp by its C API (https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h), called by ctypes.

The shared library is the one in xllamacpp, whose own Python API has no logits. The layout of the parameters changes
between versions of llama.cpp, so only the version that the structures below were written for is used.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import platform
import re
import sys
import weakref
from collections.abc import Callable, Sequence
from ctypes import POINTER, Structure, c_bool, c_char_p, c_float, c_int8, c_int32, c_size_t, c_uint8, c_uint32, c_void_p
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch  # also provides the OpenMP library that llama.cpp is linked with

from inference.types.errors import Phrase

log = logging.getLogger(__name__)

MODULE = "xllamacpp"
VERSION = "2026.10.11549"
"""The version of xllamacpp whose llama.cpp has the structures below."""

MAX_OUTPUTS = 32
"""Tokens of one call of `Context.decode` whose logits are kept."""

_UBATCH = 128
"""Tokens that are computed at once. More of them take memory and are hardly faster on a CPU."""

_NO_FLASH_ATTENTION = 0
"""Flash attention gives other numbers for other sizes of a batch, and is hardly faster on a CPU."""

_WARNING = 3
"""The level of warnings in ggml; errors are above."""

_COMPUTE_BUFFER = re.compile(r"compute buffer size = +([\d.]+) MiB")


def library_objection() -> Phrase | None:
    """Return why the library can't be used on this machine; None if it can. It is loaded by that."""
    if sys.platform != "linux":
        return Phrase("it is used on Linux only")
    if platform.machine() == "x86_64" and torch.backends.cpu.get_cpu_capability() == "DEFAULT":
        return Phrase("it needs a CPU with AVX2")
    if (installed := version(MODULE)) != VERSION:
        return Phrase("{module} {installed} is installed, and it needs {version}", module=MODULE, installed=installed,
                      version=VERSION)  # fmt: skip
    try:
        _library()
    except (OSError, AttributeError) as error:
        log.debug("llama.cpp can't be loaded", exc_info=True)
        return Phrase("its library can't be loaded ({reason})", reason=str(error))
    return None


class _ModelParams(Structure):
    _fields_ = (
        ("devices", c_void_p),
        ("tensor_buft_overrides", c_void_p),
        ("n_gpu_layers", c_int32),
        ("split_mode", c_int32),
        ("load_mode", c_int32),
        ("lazy_mode", c_int32),
        ("main_gpu", c_int32),
        ("tensor_split", c_void_p),
        ("progress_callback", c_void_p),
        ("progress_callback_user_data", c_void_p),
        ("kv_overrides", c_void_p),
        ("vocab_only", c_bool),
        ("check_tensors", c_bool),
        ("use_extra_bufts", c_bool),
        ("no_host", c_bool),
        ("no_alloc", c_bool),
        ("load_mtp", c_bool),
    )


class _ContextParams(Structure):
    _fields_ = (
        ("n_ctx", c_uint32),
        ("n_batch", c_uint32),
        ("n_ubatch", c_uint32),
        ("n_seq_max", c_uint32),
        ("n_rs_seq", c_uint32),
        ("n_outputs_max", c_uint32),
        ("n_outputs_max_per_seq", c_uint32),
        ("n_threads", c_int32),
        ("n_threads_batch", c_int32),
        ("ctx_type", c_int32),
        ("rope_scaling_type", c_int32),
        ("pooling_type", c_int32),
        ("attention_type", c_int32),
        ("flash_attn_type", c_int32),
        ("rope_freq_base", c_float),
        ("rope_freq_scale", c_float),
        ("yarn_ext_factor", c_float),
        ("yarn_attn_factor", c_float),
        ("yarn_beta_fast", c_float),
        ("yarn_beta_slow", c_float),
        ("yarn_orig_ctx", c_uint32),
        ("defrag_thold", c_float),
        ("cb_eval", c_void_p),
        ("cb_eval_user_data", c_void_p),
        ("type_k", c_int32),
        ("type_v", c_int32),
        ("abort_callback", c_void_p),
        ("abort_callback_data", c_void_p),
        ("_reserved", c_void_p),
        ("embeddings", c_bool),
        ("offload_kqv", c_bool),
        ("no_perf", c_bool),
        ("op_offload", c_bool),
        ("swa_full", c_bool),
        ("kv_unified", c_bool),
        ("samplers", c_void_p),
        ("n_samplers", c_size_t),
        ("ctx_other", c_void_p),
    )


class _Batch(Structure):
    _fields_ = (
        ("n_tokens", c_int32),
        ("token", POINTER(c_int32)),
        ("embd", c_void_p),
        ("pos", POINTER(c_int32)),
        ("n_seq_id", POINTER(c_int32)),
        ("seq_id", POINTER(POINTER(c_int32))),
        ("logits", POINTER(c_int8)),
    )


_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "llama_model_default_params": (_ModelParams,),
    "llama_context_default_params": (_ContextParams,),
    "llama_model_load_from_file": (c_void_p, c_char_p, _ModelParams),
    "llama_model_free": (None, c_void_p),
    "llama_model_size": (ctypes.c_uint64, c_void_p),
    "llama_model_n_ctx_train": (c_int32, c_void_p),
    "llama_model_get_vocab": (c_void_p, c_void_p),
    "llama_vocab_n_tokens": (c_int32, c_void_p),
    "llama_vocab_is_eog": (c_bool, c_void_p, c_int32),
    "llama_init_from_model": (c_void_p, c_void_p, _ContextParams),
    "llama_free": (None, c_void_p),
    "llama_get_memory": (c_void_p, c_void_p),
    "llama_memory_seq_rm": (c_bool, c_void_p, c_int32, c_int32, c_int32),
    "llama_decode": (c_int32, c_void_p, _Batch),
    "llama_get_logits_ith": (c_void_p, c_void_p, c_int32),
    "llama_state_seq_get_size": (c_size_t, c_void_p, c_int32),
    "llama_state_seq_get_data": (c_size_t, c_void_p, c_void_p, c_size_t, c_int32),
    "llama_state_seq_set_data": (c_size_t, c_void_p, c_void_p, c_size_t, c_int32),
    "llama_log_set": (None, c_void_p, c_void_p),
    "ggml_log_set": (None, c_void_p, c_void_p),
}
"""The type of the result of each function, and those of its arguments."""


@functools.cache
def _library() -> Any:
    """Load the library. Raise OSError, or AttributeError if it does not offer a function."""
    found = find_spec(MODULE)
    folder = Path(found.origin or "").parent if found else Path()
    file = next(folder.glob(f"{MODULE}.*.so"), None)
    if not file:
        raise OSError(f"{MODULE} has no shared library")
    library = ctypes.CDLL(str(file))
    for name, (result, *arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.llama_log_set(_LOG_CALLBACK, None)
    library.ggml_log_set(_LOG_CALLBACK, None)
    return library


class _Log:
    """What the library writes to its log: warnings and errors go to ours, as details."""

    def __init__(self) -> None:
        self.last_error = ""
        self.compute_bytes = 0

    def write(self, level: int, text: bytes, _data: None) -> None:
        line = text.decode(errors="replace").strip()
        if match := _COMPUTE_BUFFER.search(line):
            self.compute_bytes += int(float(match[1]) * 2**20)
        if level >= _WARNING and level != 5 and line:  # 5 goes on with the last line
            log.debug("%s", line)
            if level > _WARNING and "error" in line:
                self.last_error = line


_LOG = _Log()
_LOG_CALLBACK = ctypes.cast(_write := ctypes.CFUNCTYPE(None, ctypes.c_int, c_char_p, c_void_p)(_LOG.write), c_void_p)


class Model:
    """The weights in a GGUF file, mapped into memory. Raise ValueError with llama.cpp's reason if it can't read it."""

    def __init__(self, file: Path) -> None:
        library = _library()
        params = library.llama_model_default_params()
        params.n_gpu_layers = 0
        _LOG.last_error = ""
        handle = library.llama_model_load_from_file(str(file).encode(), params)
        if not handle:
            raise ValueError(_LOG.last_error.rpartition("error loading model: ")[2])
        self.handle = handle
        weakref.finalize(self, library.llama_model_free, handle).atexit = False
        vocabulary = library.llama_model_get_vocab(handle)
        self.nbytes: int = library.llama_model_size(handle)
        self.window: int = library.llama_model_n_ctx_train(handle)
        self.vocabulary_size: int = library.llama_vocab_n_tokens(vocabulary)
        self.end_tokens = {t for t in range(self.vocabulary_size) if library.llama_vocab_is_eog(vocabulary, t)}


class Context:
    """The keys and values of `num_seqs` sequences of at most `capacity` tokens each. Used by one thread at a time.

    Each sequence has a buffer of its own: so its numbers do not depend on where the others are in memory.
    """

    def __init__(self, model: Model, capacity: int, num_seqs: int, num_threads: int) -> None:
        library = self._library = _library()
        params = library.llama_context_default_params()
        params.n_ctx = capacity * num_seqs
        params.n_batch, params.n_ubatch, params.n_seq_max = 512, _UBATCH, num_seqs
        params.n_outputs_max = params.n_outputs_max_per_seq = MAX_OUTPUTS
        params.n_threads = params.n_threads_batch = num_threads
        params.kv_unified = False
        params.flash_attn_type = _NO_FLASH_ATTENTION
        _LOG.compute_bytes = 0
        self._handle = library.llama_init_from_model(model.handle, params)
        if not self._handle:
            raise MemoryError("llama.cpp could not make a context")
        # The model is an argument, so that it is freed after its contexts.
        self.free: Callable[[], Any] = weakref.finalize(self, _free, library, self._handle, model)
        self.compute_bytes = _LOG.compute_bytes
        self._memory = library.llama_get_memory(self._handle)
        self._vocabulary_size = model.vocabulary_size

    def decode(self, rows: Sequence[tuple[int, int, int]], num_outputs: int) -> torch.Tensor:
        """Append tokens, each given as (sequence, position, token).

        Return the logits after the last `num_outputs` of them [num_outputs, vocabulary].
        """
        count = len(rows)
        ids = [(c_int32 * 1)(sequence) for sequence, _, _ in rows]
        batch = _Batch(
            n_tokens=count,
            token=(c_int32 * count)(*[token for _, _, token in rows]),
            pos=(c_int32 * count)(*[position for _, position, _ in rows]),
            n_seq_id=(c_int32 * count)(*[1] * count),
            seq_id=(POINTER(c_int32) * count)(*[ctypes.cast(one, POINTER(c_int32)) for one in ids]),
            logits=(c_int8 * count)(*[index >= count - num_outputs for index in range(count)]),
        )
        if code := self._library.llama_decode(self._handle, batch):
            raise RuntimeError(f"llama_decode returned {code}")
        logits = torch.empty(num_outputs, self._vocabulary_size)
        for row, index in zip(logits, range(count - num_outputs, count), strict=True):
            source = self._library.llama_get_logits_ith(self._handle, index)
            ctypes.memmove(row.data_ptr(), source, row.nbytes)
        return logits

    def truncate(self, sequence: int, length: int) -> None:
        """Forget the tokens of a sequence from position `length` on."""
        if not self._library.llama_memory_seq_rm(self._memory, sequence, length, -1):
            raise RuntimeError("this model's memory has no way back")

    def state_size(self, sequence: int) -> int:
        """Return the size of what `state` returns."""
        return self._library.llama_state_seq_get_size(self._handle, sequence)

    def state(self, sequence: int) -> ctypes.Array[c_uint8]:
        """Return a copy of what is kept of a sequence."""
        data = (c_uint8 * self.state_size(sequence))()
        self._library.llama_state_seq_get_data(self._handle, data, len(data), sequence)
        return data

    def restore(self, sequence: int, state: ctypes.Array[c_uint8]) -> None:
        """Put the state of a sequence, of this context or another, in the place of what is kept of `sequence`."""
        if not self._library.llama_state_seq_set_data(self._handle, state, len(state), sequence):
            raise RuntimeError("a state does not fit")


def _free(library: Any, handle: int, _model: Model) -> None:
    library.llama_free(handle)
