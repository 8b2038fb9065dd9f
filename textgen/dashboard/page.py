"""The files of Visdom's page: out of packages and of ``assets/``, laid over Visdom's own.

Visdom's own start downloads them from the Internet into site-packages. Here a
``StaticFileHandler`` answers, so nothing is ever written there.
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from tornado.web import RequestHandler, StaticFileHandler

from textgen.dashboard.names import START
from textgen.errors import TextgenError
from textgen.plots.html_page import NARROW

ASSETS = Path(__file__).parent / "assets"

_NARROW = "js/narrow.js"


_BOOTSTRAP = "sphinx_bootstrap_theme/bootstrap/static/bootstrap-3.4.1"


_FROM_PACKAGES = {
    "js/plotly-plotly.min.js": ("plotly", "plotly/package_data/plotly.min.js"),
    "js/jquery.min.js": ("xstatic-jquery", "xstatic/pkg/jquery/data/jquery.min.js"),
    **{
        path: ("sphinx-bootstrap-theme", f"{_BOOTSTRAP}/{path}")
        for path in (
            "js/bootstrap.min.js",
            "css/bootstrap.min.css",
            "fonts/glyphicons-halflings-regular.woff2",
        )
    },
}
"""Which distribution's file answers for which file of the page."""


class Icon(RequestHandler):
    """The icon in the browser's tab: the page asks for a favicon.png, which Visdom has not."""

    def get(self) -> None:
        """Answer with the icon."""
        self.set_header("Content-Type", "image/svg+xml")
        self.write((ASSETS / "icon.svg").read_bytes())


def _files_of_packages() -> dict[str, Path]:
    files = {}
    for path, (name, inside) in _FROM_PACKAGES.items():
        try:
            file = Path(str(distribution(name).locate_file(inside)))
        except PackageNotFoundError:
            file = None
        if file is None or not file.is_file():
            raise TextgenError(
                "Visdom's page needs {path} from the package {name}, which is not there: "
                "pip install .",
                path=path,
                name=name,
            )
        files[path] = file
    return files


def page_files() -> dict[str, Path]:
    """Return which file on the disk answers for which file of the page.

    Raises:
        TextgenError: a package is not installed, or has the file no more.
    """
    return _files_of_packages() | _files_of_ours()


def _files_of_ours() -> dict[str, Path]:
    return {
        _NARROW: NARROW,
        **{
            file.relative_to(ASSETS).as_posix(): file
            for file in ASSETS.rglob("*")
            if file.is_file()
        },
    }


def finished(page: bytes) -> bytes:
    """Return Visdom's page with what it lacks.

    It says its language, its plots fit on a phone, and where its address names no environment, it
    opens on the newest run: 0.3 leaves to the browser what 0.2.4 is told.
    """
    for old, new in (
        (b"<html>", b'<html lang="en">'),
        (b"</head>", f'<script src="/static/{_NARROW}"></script>\n  </head>'.encode()),
        (b"= getActiveEnvFromPath();", f"= getActiveEnvFromPath() || '{START}';".encode()),
    ):
        page = page.replace(old, new, 1)
    return page


def static_handler(files: dict[str, Path]) -> type[StaticFileHandler]:
    """Return a handler that serves these files, and Visdom's own beside them."""
    empty_script = ASSETS / "js" / "empty.js"
    # A fixed list: a path that somebody asks for is looked up, and never joined to a folder.
    ours = set(map(str, (*files.values(), empty_script)))

    class Overlay(StaticFileHandler):
        @classmethod
        def make_static_url(
            cls, settings: dict[str, Any], path: str, include_version: bool = True
        ) -> str:
            # The page asks for this one outside of the static folder, and tornado 6.6 refuses.
            if path == "../user/style.css":
                return "/user/style.css"
            return super().make_static_url(settings, path, include_version)

        @classmethod
        def get_absolute_path(cls, root: str, path: str) -> str:
            if path in files:
                return str(files[path])
            visdoms = super().get_absolute_path(root, path)
            # MathJax, d3 and what else the page asks for: our plots and texts need none of it.
            if path.endswith(".js") and not Path(visdoms).is_file():
                return str(empty_script)
            return visdoms

        def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
            if absolute_path in ours:
                return absolute_path
            return super().validate_absolute_path(root, absolute_path)

    return Overlay
