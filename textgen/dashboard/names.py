"""Names of environments and of windows: each becomes a file's name, a part of a URL, a text."""

import hashlib

_MOST_BYTES = 250
"""Of a name: with ``.json`` behind it, a file's name has 255."""

_LIKENESSES = str.maketrans("/\\<>", "／＼＜＞")
"""What would lead out of the folder, or be markup on the page, and what stands in its place."""


START = "main"
"""The environment that Visdom opens with."""

ALL_RUNS = "all-runs"
"""The environment in which the runs are compared."""

_IN_ADDRESSES = str.maketrans("+#?%&", "＋＃？％＆")
"""What Visdom's page takes for something else where it stands in an address."""


def environment_of(run: str) -> str:
    """Return the name of a run's environment: the run's own, where the page can ask for that."""
    name = plain(run.translate(_IN_ADDRESSES))
    return f"{name} (run)" if name in (START, ALL_RUNS) else name


def is_plain(name: object) -> bool:
    """Return whether Visdom may keep something under a name.

    It is no path, no hidden file and no markup. Visdom takes every ``.json`` out of a name, and
    the spaces around it, so those would be two names for one file.
    """
    return (
        isinstance(name, str)
        and name.isprintable()
        and name == name.strip()
        and 0 < len(name.encode()) <= _MOST_BYTES
        and not name.startswith((".", "__"))
        and ".json" not in name.lower()
        and not any(ord(character) in _LIKENESSES for character in name)
    )


def plain(name: str) -> str:
    """Return a name as it is where it is plain, and otherwise one that looks like it."""
    likeness = name.translate(_LIKENESSES)
    if is_plain(likeness):
        return likeness
    likeness = "".join(c if c.isprintable() else "�" for c in likeness).replace(".", "．")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    short = likeness.encode()[: _MOST_BYTES - 20].decode("utf-8", "ignore").strip(" _")
    return f"{short} {digest}".strip()
