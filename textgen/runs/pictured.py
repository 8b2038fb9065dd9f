"""What a notebook shows as a picture.

Who draws it stands above this room: ``textgen/__init__.py``, which knows both, says who it is.
"""

TYPE_CHECKING = False  # imported, it would take longer than all that stands here
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar


class Pictured:
    """Has a picture in a notebook."""

    draw: "ClassVar[Callable[[Any], str]]"
    """Returns the picture in HTML."""

    def _repr_html_(self) -> str:
        """Return the picture, as notebooks ask for it."""
        return type(self).draw(self)
