"""A command speaks in one line; what the libraries have to say is for `--verbose`."""

from __future__ import annotations

import logging
import os
import warnings


def set_up_logging(*, verbose: bool) -> None:
    """Send the log to stderr, or nowhere. Call it before the libraries are imported: that is when they ask."""
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        return
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    os.environ |= {
        "TRANSFORMERS_VERBOSITY": "critical",
        "DIFFUSERS_VERBOSITY": "critical",
        "HF_HUB_VERBOSITY": "critical",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
