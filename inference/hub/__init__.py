"""Access to the files of models. Only `inference.hub.hub` imports huggingface_hub, and nothing imports torch."""

from inference.hub.folders import (
    CONFIG,
    INDEX,
    FolderLayout,
    file_names,
    gguf_header,
    gguf_in,
    loaded_size,
    read_settings,
    require_settings,
)
from inference.hub.gguf_header import GGUFHeader
from inference.hub.local_folder import check_folder
from inference.hub.repository_files import checkpoint_file, components_of, is_complete, wanted_files

__all__ = [
    "CONFIG",
    "INDEX",
    "FolderLayout",
    "GGUFHeader",
    "check_folder",
    "checkpoint_file",
    "components_of",
    "file_names",
    "gguf_header",
    "gguf_in",
    "is_complete",
    "loaded_size",
    "read_settings",
    "require_settings",
    "wanted_files",
]
