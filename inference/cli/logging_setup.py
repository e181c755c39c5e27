"""Logging on the command line. Messages of libraries are only shown with `--verbose`."""

from __future__ import annotations

import logging
import os
import warnings


def set_up_logging(*, verbose: bool) -> None:
    """Send the log to stderr, or discard it. Call it before the libraries are imported, since they read it then."""
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
