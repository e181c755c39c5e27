"""Test how modules that need torch are imported: without pauses for other threads."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from inference.pipelines.torch_import import import_without_pauses


def test_no_garbage_is_collected_during_an_import_and_what_was_imported_is_never_visited_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_once.py").write_text("import gc\ncollects = gc.isenabled()\nkept = [[]]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        module = import_without_pauses("imported_once")
        assert not module.collects
        assert gc.isenabled()
        assert not any(each is module.kept for each in gc.get_objects())
        later = [[]]
        assert import_without_pauses("imported_once") is module
        assert any(each is later for each in gc.get_objects()), "the second call freezes nothing"
    finally:
        gc.unfreeze()


class Garbage:
    """An object that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


def test_the_garbage_of_before_an_import_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("imported_first", "imported_later"):
        (tmp_path / f"{name}.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    gc.unfreeze()
    gc.disable()
    try:
        young = weakref.ref(Garbage())
        import_without_pauses("imported_first")
        assert young() is None
        kept = Garbage()
        gc.collect()  # from now on it is old
        old = weakref.ref(kept)
        del kept
        import_without_pauses("imported_later")
        assert old() is None
        assert not gc.isenabled(), "it was off before"
    finally:
        gc.unfreeze()
        gc.enable()


def test_a_module_that_can_not_be_imported_leaves_the_collector_on() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        import_without_pauses("no_such_module")
    assert gc.isenabled()


def test_torch_works_after_its_shared_libraries_were_loaded_first() -> None:
    show = (
        "from inference.pipelines.torch_import import import_without_pauses\n"
        "torch = import_without_pauses('torch')\n"
        "print((torch.ones(64, 64) @ torch.ones(64, 64)).sum().item())"
    )
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout == "262144.0\n"
