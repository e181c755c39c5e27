"""How each answer looks as JSON and as text. The field names are part of the command line's contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inference.backends.base import ModelStatus
from inference.errors import GenerationFailed
from inference.types import Answer, Caption, Completion, Drawing, Filling, Mood, Moods, Summary, Value

GENERATED = "(Written by a language model, which can be wrong.)"


def as_fields(value: Value, images: Sequence[Path] = ()) -> dict[str, Any]:
    """The object that `--json` prints; `images` are the files of a drawing."""
    match value:
        case Completion():
            texts = [value.text, *value.others]
            return {"text": value.text, "seed": value.seed, "texts": texts, "ended": value.ended, "chat": value.chat}
        case Filling():
            joint = [asdict(words) for words in value.joint]
            return {"text": value.text, "predictions": _predictions(value), "joint": joint}
        case Summary():
            return {"text": value.text, "parts": value.parts, "sections": [*map(asdict, value.sections)]}
        case Answer():
            others = [_answer(other) for other in value.others]
            return {**_answer(value), "generated": value.generated, "others": others, "windows": [*value.windows]}
        case Caption():
            return {"text": value.text}
        case Moods():
            return _mood(value.moods[0]) if len(value.moods) == 1 else {"moods": [*map(_mood, value.moods)]}
        case Drawing():
            return {
                "images": [str(image) for image in images],
                "seed": value.pictures[0].seed,
                "width": value.width,
                "height": value.height,
                "steps": value.steps,
                "guidance": value.guidance,
                "sampler": value.sampler,
                "strength": value.strength,
                "note": value.note,
            }


def as_text(value: Value, images: Sequence[Path] = ()) -> str:
    """The same for people."""
    match value:
        case Completion():
            return "\n".join([value.text, *further_texts(value)])
        case Summary() | Caption():
            return value.text
        case Filling():
            rows = [f"{p['blank']}  {p['score']:6.1%}  {p['word']}" for p in _predictions(value)]
            return "\n".join([value.text, "", *rows, *_together(value)])
        case Answer():
            label = ["", GENERATED] if value.generated else []
            return "\n".join([value.text or "The text does not say.", *_other_answers(value), *label])
        case Moods():
            return "\n".join(f"{mood.label} ({mood.score:.1%})" for mood in value.moods)
        case Drawing():
            return "\n".join(filter(None, [*map(str, images), _settings(value), value.note]))


def _answer(answer: Answer) -> dict[str, Any]:
    return {"answer": answer.text, "score": answer.score, "start": answer.start, "end": answer.end}


def _other_answers(answer: Answer) -> list[str]:
    rows = [f"{other.score:6.1%}  {' '.join(other.text.split())}" for other in answer.others]
    return ["", "It might also be:", *rows] if rows else []


def _together(filling: Filling) -> list[str]:
    """Words for several blanks; of one, there is nothing more to say."""
    rows = [f"{joint.score:6.1%}  {', '.join(joint.words)}" for joint in filling.joint]
    return ["", "Together:", *rows] if len(filling.blanks) > 1 and rows else []


def further_texts(completion: Completion) -> list[str]:
    """Lines with all texts but the first, each under a line of its own that tells its number and its seed."""
    total = 1 + len(completion.others)
    return [
        f"\n--- {number} of {total}, seed {completion.seed + number - 1} ---\n{text}"
        for number, text in enumerate(completion.others, start=2)
    ]


def _settings(drawing: Drawing) -> str:
    settings = [
        _seeds([picture.seed for picture in drawing.pictures]),
        f"{drawing.width}×{drawing.height}",
        f"{drawing.steps} step{'s' * (drawing.steps != 1)}",
        f"guidance {drawing.guidance:g}",
        drawing.sampler,
        "" if drawing.strength is None else f"strength {drawing.strength:g}",
    ]
    return ", ".join(filter(None, settings))


def _seeds(seeds: Sequence[int]) -> str:
    """`seed 7`, or `seeds 7 to 9`, since they follow one another."""
    return f"seed {seeds[0]}" if seeds[0] == seeds[-1] else f"seeds {seeds[0]} to {seeds[-1]}"


def status_fields(status: ModelStatus) -> dict[str, Any]:
    spec = status.spec
    return {"task": spec.task, "name": spec.name, "repo": spec.repo, "state": status.state, "size": status.nbytes}


def status_table(statuses: Sequence[ModelStatus]) -> str:
    """One model a line: task, name, state, size."""
    width = max((len(status.spec.name) for status in statuses), default=0)
    return "\n".join(
        f"{s.spec.task:<10}  {s.spec.name:<{width}}  {s.state:<14}  {size(s.nbytes) if s.nbytes else '':>8}".rstrip()
        for s in statuses
    )


def size(nbytes: int) -> str:
    return f"{nbytes / 1e9:.1f} GB" if nbytes >= 1e9 else f"{nbytes / 1e6:.0f} MB"


def write_pictures(drawing: Drawing, output: Path) -> list[Path]:
    """`output`, or `output` with -1, -2 … before its suffix; raises GenerationFailed when none may be shown."""
    many = len(drawing.pictures) > 1
    images: list[Path] = []
    for i, picture in enumerate(drawing.pictures, start=1):
        if picture.png:
            path = output.with_stem(f"{output.stem}-{i}") if many else output
            path.write_bytes(picture.png)
            images.append(path)
    if not images:
        raise GenerationFailed("The safety checker held back all that was drawn. Try another prompt or seed.")
    return images


def _predictions(filling: Filling) -> list[dict[str, Any]]:
    return [
        {"blank": number, "word": prediction.word, "score": prediction.score, "text": prediction.text}
        for number, blank in enumerate(filling.blanks, start=1)
        for prediction in blank
    ]


def _mood(mood: Mood) -> dict[str, Any]:
    return {"label": mood.label, "score": mood.score, "valence": mood.valence}
