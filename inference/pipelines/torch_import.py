"""Importing torch, and what needs it, on a thread beside the event loop.

A thread that imports gives the interpreter's lock away often, with two exceptions, each of which would hold up the
event loop for more than a tenth of a second: the garbage collector, which visits all objects that there are, and the
loading of torch's shared libraries.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

_lock = threading.Lock()


def import_without_pauses(module: str) -> ModuleType:
    """Import and return a module that needs torch, without holding up other threads.

    What is imported stays until the end, so the garbage collector never visits it afterwards. The garbage of before is
    collected first, since it would stay too; that of the import itself (some thousand objects) is not looked for.
    """
    with _lock:
        if module not in sys.modules:
            _load_shared_libraries()
            # At the first import, old objects are what other modules have made: a visit takes a quarter of a second.
            gc.collect(2 if gc.get_freeze_count() else 1)
            was_enabled = gc.isenabled()
            gc.disable()
            try:
                import_module(module)
            finally:
                gc.freeze()
                if was_enabled:
                    gc.enable()
    return import_module(module)


def _load_shared_libraries() -> None:
    """Load the libraries that `import torch` loads first, in its way, but without the interpreter's lock.

    Only foreign functions run without it, so this calls the system's own function, and not `ctypes.CDLL`. A library
    that is not there or can't be loaded is left to torch, which has its own ways and error messages.
    """
    found = None if "torch" in sys.modules else find_spec("torch")
    if not found or not found.submodule_search_locations or sys.platform not in ("linux", "darwin"):
        return
    folder = Path(found.submodule_search_locations[0], "lib")
    ending = ".so" if sys.platform == "linux" else ".dylib"
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for name, visibility in (("libtorch_global_deps", os.RTLD_GLOBAL), ("libtorch", os.RTLD_LOCAL)):
        file = folder / f"{name}{ending}"
        if file.is_file():
            load(bytes(file), os.RTLD_NOW | visibility)
