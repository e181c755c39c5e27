"""A command speaks in one line; what the libraries have to say is for `--verbose`."""

from __future__ import annotations

import logging
import os
import warnings


def set_up_logging(*, verbose: bool) -> None:
    """Send the log to stderr, or nowhere; call it before transformers is imported, which reads its level then."""
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        return
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    for library in ("TRANSFORMERS", "DIFFUSERS", "HF_HUB"):
        os.environ.setdefault(f"{library}_VERBOSITY", "critical" if library != "HF_HUB" else "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
