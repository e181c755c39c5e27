"""Every type of language model in transformers, tiny and random: is its text the one that transformers writes?

Each model is saved, checked as by `--check-config`, and run by the engine, two requests at the same time. Its greedy
texts must equal those of `generate`. A few models of transformers give other numbers with their cache than without it;
then the text without a cache counts.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from inference import CompleteRequest, Completion, Config, Engine, InferenceError, create_engine
from inference.config.models import ModelEntry

_PROMPTS = ("On a hill, a", "The boat was late, so")
_NEW_TOKENS = 16

State = Literal["exact", "refused", "not built", "wrong", "fails"]


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """The result for one type. `wrong` is another text than transformers', `fails` an error after loading."""

    name: str
    state: State
    detail: str

    def cells(self) -> tuple[str, ...]:
        return (self.state, self.name, self.detail)


def measure() -> list[FamilyRow]:
    """Return a row for each type in transformers' mappings, and one with their number for each state."""
    import transformers
    from transformers.models.auto import modeling_auto

    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    causal: Any = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    image_text: Any = modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    rows = [check(name, transformers.AutoModelForCausalLM) for name in causal]
    rows += [check(name, transformers.AutoModelForImageTextToText) for name in image_text if name not in causal]
    counts: Counter[tuple[State, str]] = Counter(
        (row.state, row.detail if row.state == "exact" else "") for row in rows
    )
    return rows + [FamilyRow(f"{n} types", state, detail) for (state, detail), n in sorted(counts.items())]


def check(model_type: str, auto_class: Any) -> FamilyRow:
    """Build the model, and compare our texts with transformers'."""
    from bench.tiny_models import UNBUILDABLE, save_tokenizer, tiny_model

    if model_type in UNBUILDABLE:
        return FamilyRow(model_type, "not built", UNBUILDABLE[model_type])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "model")
        try:
            tiny_model(model_type, auto_class).save_pretrained(folder)
            save_tokenizer(folder)
            expected = [_texts_of_transformers(auto_class, folder, prompt) for prompt in _PROMPTS]
        except Exception as error:
            return FamilyRow(model_type, "not built", f"transformers: {_line(error)}")
        models = {"complete": (ModelEntry(repo=str(folder)),)}
        config = Config(models=models, device=("cpu",), dtype="float32", data=Path(name, "data"))
        engine = create_engine(config)
        if problems := engine.device_problems(probe=True):
            asyncio.run(engine.close())
            return FamilyRow(model_type, "refused", problems[0].replace(str(folder), model_type))
        (verdict,) = json.loads(Path(name, "data/verdicts.json").read_text(encoding="utf-8")).values()
        runner = verdict.rpartition(": ")[0]
        try:
            texts = asyncio.run(_texts_of_ours(engine))
        except InferenceError as error:
            return FamilyRow(model_type, "fails", f"{runner}: {_line(error.__cause__ or error)}")
    equal = all(text in texts_of_transformers for text, texts_of_transformers in zip(texts, expected, strict=True))
    return FamilyRow(model_type, "exact" if equal else "wrong", runner)


async def _texts_of_ours(engine: Engine) -> list[str]:
    requests = [CompleteRequest(prompt=text, max_new_tokens=_NEW_TOKENS, temperature=0.0) for text in _PROMPTS]
    try:
        outputs = await asyncio.gather(*(engine.run(engine.check(request)) for request in requests))
    finally:
        await engine.close()
    return [output.text for output in outputs if isinstance(output, Completion)]


def _texts_of_transformers(auto_class: Any, folder: Path, prompt: str) -> Sequence[str]:
    """Return the greedy text of `generate`, and the one without a cache."""
    import torch
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = auto_class.from_pretrained(folder).eval()
    inputs = tokenizer(prompt, return_tensors="pt")
    options: dict[str, Any] = {"max_new_tokens": _NEW_TOKENS, "do_sample": False, "num_beams": 1, "pad_token_id": 2}
    new = model.generate(inputs.input_ids, attention_mask=inputs.attention_mask, **options)
    new = new[0, inputs.input_ids.shape[1] :]
    ids = inputs.input_ids
    with torch.inference_mode():
        for _ in range(_NEW_TOKENS):
            logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits[:, -1]
            ids = torch.cat([ids, logits.argmax(-1, keepdim=True)], dim=1)
            if ids[0, -1] == 1:
                break
    without_cache = ids[0, inputs.input_ids.shape[1] :]
    texts: list[str] = [tokenizer.decode(tokens, skip_special_tokens=True) for tokens in (new, without_cache)]
    return texts


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ").replace("|", "/")[:100]
