"""Access to the files of models. Imports huggingface_hub, not torch."""

from inference.hub.hub import Hub
from inference.hub.repository_files import components_of, is_complete, wanted_files

__all__ = ["Hub", "components_of", "is_complete", "wanted_files"]
