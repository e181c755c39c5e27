"""Reading of config.yaml: `load_config()` reports all problems at once, each with its position."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from inference.config.problems import ConfigError, file_problems
from inference.config.schema import Config
from inference.config.yaml_errors import YamlProblem
from inference.config.yaml_file import YamlFile, read_yaml
from inference.limits import ClassifierEntry, expanded

_REASONS: dict[type[OSError], str] = {
    FileNotFoundError: "there is no such file",
    IsADirectoryError: "it is a folder, and must be a file",
    PermissionError: "the user who runs this may not read it",
}


def load_config(path: Path) -> Config:
    """Read and check the file. Raise ConfigError with all problems.

    Folders are made absolute, relative to the file's own folder.
    """
    file = _read(path)
    try:
        config = Config.model_validate({} if file.data is None else file.data)
    except ValidationError as error:
        raise ConfigError(path, file_problems(file, Config, error.errors())) from error
    if file.problems:
        raise ConfigError(path, file_problems(file, Config))
    return _with_absolute_folders(config.with_lines(file.line, path.absolute()), path.resolve().parent)


def data_folder(path: Path) -> Path:
    """Return the `data` folder that the file names, whatever else is wrong with it. Raise ConfigError."""
    entries = _read(path).data
    named = entries.get("data") if isinstance(entries, dict) else None
    return (path.resolve().parent / expanded(Path(str(named or Config.model_fields["data"].default)))).resolve()


def _read(path: Path) -> YamlFile:
    try:
        return read_yaml(expanded(path))
    except OSError as error:
        raise ConfigError(path, [_REASONS.get(type(error), f"it can't be read: {error.strerror}")]) from error
    except YamlProblem as problem:
        raise ConfigError(path, [str(problem)]) from problem


def _with_absolute_folders(config: Config, folder: Path) -> Config:
    lists = {task: tuple(model.relative_to(folder) for model in models) for task, models in config.models.items()}
    safety = config.safety
    classifiers = {"pictures": safety.pictures, "texts": safety.texts}
    return config.model_copy(
        update={
            "models": lists,
            "safety": safety.model_copy(
                update={key: entry and _with_absolute_classifier(entry, folder) for key, entry in classifiers.items()}
            ),
            "origin": config.origin.relative_to(folder),
            "data": (folder / config.data).resolve(),
            "loras": (folder / config.loras).resolve(),
        }
    )


def _with_absolute_classifier(entry: ClassifierEntry, folder: Path) -> ClassifierEntry:
    if not entry.repo.startswith((".", "/")):
        return entry
    return entry.model_copy(update={"repo": str((folder / entry.repo).resolve())})
