"""Licences and descriptions of models, from the model card beside the weights, or else known here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from inference.text.known_concepts import ConceptsByCategory, concepts_in
from inference.types.errors import Phrase

_MAX_TAGS = 6

_OTHER_LICENCE = "other"
"""The value in a card for a licence that the hub does not know."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """`licence` as in the card, and `good_at`, a sentence or some tags. Both are empty if unknown.

    `knows` is the list of everything that a small model knows, if it comes with one.
    """

    licence: str = ""
    good_at: str = ""
    knows: ConceptsByCategory = field(default_factory=dict[str, tuple[str, ...]])


def model_card(repo: str, folder: Path | None) -> ModelCard:
    """Return the card for a hub id or a folder. Reads small files if `folder` has a card."""
    known = _KNOWN.get(repo.rsplit("/", 1)[-1].lower(), ModelCard())
    if folder is None:
        return known
    known = replace(known, knows=concepts_in(folder))
    if not (folder / "README.md").is_file():
        return known
    front_matter = _front_matter((folder / "README.md").read_text(encoding="utf-8", errors="replace"))
    licence = str(front_matter.get("license_name") or front_matter.get("license") or "")
    if licence in ("", _OTHER_LICENCE):
        licence = known.licence or licence
    tags = front_matter.get("tags")
    tag_list = ", ".join(map(str, tags[:_MAX_TAGS])) if isinstance(tags, list) else ""
    return ModelCard(licence, known.good_at or tag_list, known.knows)


def _front_matter(text: str) -> dict[str, Any]:
    """Return the YAML front matter; empty if it is broken, since cards are written by hand."""
    if not text.startswith("---"):
        return {}
    try:
        front_matter = yaml.safe_load(text.split("---", 2)[1])
    except yaml.YAMLError:
        return {}
    return front_matter if isinstance(front_matter, dict) else {}


_GPT2 = Phrase("Goes on with English text of any kind; knows no instructions.")
_OPT = Phrase("Goes on with English text; for research only, not for commercial use.")
_QUESTIONS = Phrase("Finds answers in English texts, or that there is none.")

_KNOWN = {
    "qwen3-0.6b": ModelCard("Apache-2.0", Phrase("Chats in many languages; small, and often wrong about facts.")),
    "gpt2-large": ModelCard("MIT", _GPT2),
    "gpt2": ModelCard("MIT", _GPT2),
    "distilgpt2": ModelCard("Apache-2.0", Phrase("Goes on with English text, small and quick; knows no instructions.")),
    "opt-350m": ModelCard("OPT-175B", _OPT),
    "opt-1.3b": ModelCard("OPT-175B", _OPT),
    "bert-base-uncased": ModelCard("Apache-2.0", Phrase("Fills blanks in English sentences, in lower case.")),
    "bart-large-cnn": ModelCard("MIT", Phrase("Sums up English news and reports.")),
    "roberta-base-squad2": ModelCard("CC-BY-4.0", _QUESTIONS),
    "tinyroberta-squad2": ModelCard("CC-BY-4.0", _QUESTIONS),
    "vit-gpt2-image-captioning": ModelCard(
        "Apache-2.0", Phrase("Says in a short English sentence what a photo shows.")
    ),
    "stable-diffusion-v1-4": ModelCard(
        "CreativeML OpenRAIL-M", Phrase("Draws anything, best at 512 × 512, and starts from pictures.")
    ),
    "dalle-mini": ModelCard("Apache-2.0", Phrase("Draws small, dreamlike pictures of 256 × 256 from words alone.")),
    "emoji-painter": ModelCard(
        "CC-BY-4.0",
        Phrase("Draws single things as emoji, small and quick: 340 of them, such as hearts, animals and food."),
    ),
    "emoji-captioner": ModelCard("CC-BY-4.0", Phrase("Names the one thing that an emoji shows.")),
    "emoji-enlarger": ModelCard("CC-BY-4.0", Phrase("Enlarges drawings of emoji, with sharp edges.")),
    "distilbert-base-uncased-finetuned-sst-2-english": ModelCard(
        "Apache-2.0", Phrase("Tells pleasant English sentences from unpleasant ones.")
    ),
    "smollm2-135m-instruct": ModelCard(
        "Apache-2.0", Phrase("Chats, sums up and answers in simple English; small and quick, and often wrong.")
    ),
}
"""Keys are the last part of the id, in lower case. Licences are those in the README's table of models."""
