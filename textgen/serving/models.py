"""The models that requests can name: every run in a folder, loaded when first asked for."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from textgen.runs.finding import newest_checkpoints
from textgen.runs.folder import name_of
from textgen.runs.trained import find_to_write, load
from textgen.serving.refusal import Refused
from textgen.writing.decoder import Decoder

_KEPT = 4
"""Models that stay loaded."""


class Model(NamedTuple):
    """A model that can be named."""

    name: str

    folder: Path

    written: int
    """When its newest checkpoint was, in nanoseconds since 1970; 0 where there is none yet."""


class Models:
    """The runs in a folder, and the one that is meant where none is named.

    Args:
        root: the folder of the runs.
        name: the name or the path of the one that is meant; the newest when not given.

    Raises:
        TextgenError: there is no such run.
    """

    def __init__(self, root: Path, name: str | None) -> None:
        self._root = root
        folder = find_to_write(root, name).folder.resolve()
        self.usual = name_of(folder)
        """The name of the one that is meant."""
        self._usual_folder = folder
        self._decoder = lru_cache(_KEPT)(_decoder)

    def all(self) -> list[Model]:
        """Return the models that there are now, the usual one first, then the newest first."""
        folders = {self.usual: self._usual_folder}
        for path in reversed(newest_checkpoints(self._root)):
            folders.setdefault(name_of(path.parent), path.parent)
        models = [Model(name, folder, _written(folder)) for name, folder in folders.items()]
        return [model for model in models if model.written or model.name == self.usual]

    def find(self, name: str | None) -> Model:
        """Return the model of a name; the usual one when none is given. A path is no name.

        Raises:
            Refused: there is none.
        """
        models = self.all()
        for model in models:
            if model.name == (name or self.usual):
                return model
        names = ", ".join(model.name for model in models[:5])
        raise Refused(
            404, f"there is no model {name}; there are: {names}", "model", "model_not_found"
        )

    def decoder(self, model: Model) -> Decoder:
        """Return a model ready to write: as it is kept, or loaded where its files are newer.

        Raises:
            TextgenError: it cannot be loaded.
        """
        return self._decoder(model.folder, model.written)


def _decoder(folder: Path, _written: int) -> Decoder:
    return Decoder.of(load(folder))


def _written(folder: Path) -> int:
    """Return when the newest checkpoint was; 0 where there is none yet."""
    files = (folder / name for name in ("best.safetensors", "last.safetensors"))
    return max((file.stat().st_mtime_ns for file in files if file.exists()), default=0)
