"""How each answer looks as JSON and as text. The field names are part of the command line's contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inference.backends.base import ModelStatus
from inference.cli.documents import NOTHING, Documents
from inference.cli.evidence import answer_fields, answer_text
from inference.errors import GenerationFailed
from inference.types import Answer, Caption, Completion, Drawing, Filling, Mood, Moods, Prediction, Summary, Value


def as_fields(value: Value, images: Sequence[Path] = (), documents: Documents = NOTHING) -> dict[str, Any]:
    """The object that `--json` prints; `images` are the files of a drawing, `documents` were read for an answer."""
    match value:
        case Completion():
            all_texts = [value.text, *value.others]
            return {
                "text": value.text,
                "seed": value.seed,
                "texts": all_texts,
                "ended": value.ended,
                "chat": value.chat,
            }
        case Filling():
            joint = [asdict(words) for words in value.joint]
            return {"text": value.text, "predictions": _predictions(value), "joint": joint}
        case Summary():
            return {"text": value.text, "parts": value.parts, "sections": [*map(asdict, value.sections)]}
        case Answer():
            return answer_fields(value, documents)
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


def as_text(value: Value, images: Sequence[Path] = (), documents: Documents = NOTHING) -> str:
    """The same for people."""
    match value:
        case Completion():
            return "\n\n".join(texts(value))
        case Summary() | Caption():
            return value.text
        case Filling():
            return "\n".join([value.text, *_words(value), *_together(value)])
        case Answer():
            return answer_text(value, documents)
        case Moods():
            return "\n".join(f"{mood.label} ({mood.score:.1%})" for mood in value.moods)
        case Drawing():
            return "\n".join(filter(None, [*map(str, images), _settings(value), value.note]))


def _words(filling: Filling) -> list[str]:
    """Those for each blank, under its number where there are several."""

    def rows(predictions: Sequence[Prediction]) -> list[str]:
        return [f"{prediction.score:6.1%}  {prediction.word}" for prediction in predictions]

    if len(filling.blanks) == 1:
        return ["", *rows(filling.blanks[0])]
    return [
        line for number, blank in enumerate(filling.blanks, start=1) for line in ["", f"Blank {number}:", *rows(blank)]
    ]


def _together(filling: Filling) -> list[str]:
    """Words for several blanks; of one, there is nothing more to say."""
    rows = [f"{joint.score:6.1%}  {', '.join(joint.words)}" for joint in filling.joint]
    return ["", "Together:", *rows] if len(filling.blanks) > 1 and rows else []


def texts(completion: Completion) -> list[str]:
    """The text alone, or several, each under its heading."""
    if not completion.others:
        return [completion.text]
    written = [completion.text, *completion.others]
    return [f"{heading(i, len(written), completion.seed)}\n{text}" for i, text in enumerate(written)]


def heading(i: int, total: int, seed: int) -> str:
    """Of text i, from 0, where the first comes from `seed`."""
    return f"--- {i + 1} of {total}, seed {seed + i} ---"


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
    """One model a line: task, name, and how large it is where."""
    width = max((len(status.spec.name) for status in statuses), default=0)
    return "\n".join(
        f"{status.spec.task:<10}  {status.spec.name:<{width}}  {_whereabouts(status)}" for status in statuses
    )


def _whereabouts(status: ModelStatus) -> str:
    place = {"loaded": "in memory", "on disk": "on disk"}.get(status.state)
    return f"{size(status.nbytes):>8} {place}" if place else status.state


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
