"""The real server in a process of its own, and a real browser that may talk to nobody else."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.pages import Watched
from tests.processes import FOR_ALL_TESTS, MOST_SECONDS, killing
from textgen.dashboard import page
from textgen.dashboard.page import ASSETS
from textgen.errors import TextgenError

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")

PROGRAM = """
import sys
from pathlib import Path
from textgen.dashboard.without_torch import without_torch
from textgen.errors import TextgenError
with without_torch():
    from textgen.dashboard.server import serve

address, port, env_path = sys.argv[1:]
try:
    serve(address, int(port), Path(env_path), lambda url: print(url, flush=True))
except TextgenError as error:
    sys.exit(f"textgen: {error}")
"""

SECONDS = 30.0
"""How long anything may take on a busy machine."""

EMPTY_SCRIPT = ASSETS / "js" / "empty.js"

CHINESE = "却说玄德曰：“好！”"


def command(port: int, env_path: Path, address: str = "127.0.0.1") -> list[str]:
    return [sys.executable, "-c", PROGRAM, address, str(port), str(env_path)]


@contextmanager
def serving(
    env_path: Path, seconds: float = MOST_SECONDS
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a server on a free port; give its URL and its process, and stop it as a user does."""
    with killing(
        subprocess.Popen(
            command(0, env_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ),
        seconds,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), process.communicate(timeout=SECONDS)
        yield url, process
        process.terminate()
        process.wait(SECONDS)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def post(url: str, path: str, body: object, **headers: str) -> str:
    return get(url, path, json.dumps(body).encode(), **headers)


def get(url: str, path: str, body: bytes | None = None, **headers: str) -> str:
    request = urllib.request.Request(f"{url}/{path}", body, headers)  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=SECONDS) as response:
        content: bytes = response.read()
    return content.decode()


def draw_lines(url: str, env: str, window: str, values: list[float]) -> None:
    trace = {"type": "scatter", "name": "held out", "x": list(range(len(values))), "y": values}
    layout = {"title": {"text": window}, "xaxis": {"title": {"text": "epoch"}}}
    opts = {"title": window}
    post(
        url,
        "events",
        {"eid": env, "win": window, "data": [trace], "layout": layout, "opts": opts},
    )


def draw_text(url: str, env: str, window: str, text: str) -> None:
    data = [{"type": "text", "content": f"<p>{text}</p>"}]
    post(url, "events", {"eid": env, "win": window, "data": data, "opts": {"title": window}})


LINE = ".js-plotly-plot .scatterlayer path.js-line"
LAST_VALUE = "() => document.querySelector('.js-plotly-plot').data[0].y.at(-1)"
TITLES = """() => [...document.querySelectorAll('.react-grid-item .bar > div.pull-right')]
    .map(title => ({box: title.closest('.react-grid-item').getBoundingClientRect(), title}))
    .sort((a, b) => a.box.y - b.box.y || a.box.x - b.box.x)
    .map(pane => pane.title.innerText.trim())"""
OVERLAPS = """() => {
    const boxes = [...document.querySelectorAll('.react-grid-item')]
        .map(pane => pane.getBoundingClientRect());
    return boxes.some((a, i) => boxes.some((b, k) => i < k
        && a.left < b.right - 1 && b.left < a.right - 1
        && a.top < b.bottom - 1 && b.top < a.bottom - 1));
}"""


def test_a_browser_sees_everything_with_nothing_but_the_server(
    tmp_path: Path, watch: Callable[[str], Watched]
) -> None:
    with serving(tmp_path) as (url, _):
        draw_lines(url, "run", "perplexity", [812.5, 90.25, 42.125])
        draw_text(url, "run", "sample", CHINESE)
        watched = watch(url)
        page = watched.page
        page.goto(f"{url}/env/run")
        path = page.wait_for_selector(LINE)
        assert path is not None
        assert str(path.get_attribute("d")).count(",") == 3  # points
        assert page.evaluate(LAST_VALUE) == 42.125
        assert page.get_by_text(CHINESE).is_visible()
        assert page.locator(".gtitle").text_content() == "perplexity"
        assert page.evaluate("Plotly.version").startswith("2.")
        # Bootstrap's script works, and so does its icons' font.
        page.click(".dropdown-toggle")
        assert page.locator(".dropdown-menu").first.is_visible()
        assert page.evaluate("document.fonts.check('14px \"Glyphicons Halflings\"')")
        # Another value while the page is open is drawn there, too.
        draw_lines(url, "run", "perplexity", [812.5, 90.25, 42.125, 40.5])
        page.wait_for_function(f"({LAST_VALUE})() === 40.5")
        assert (watched.outside, watched.errors) == ([], [])


def test_panes_stay_in_the_order_in_which_they_were_created(
    tmp_path: Path, watch: Callable[[str], Watched]
) -> None:
    names = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"]
    with serving(tmp_path) as (url, _):
        for place, name in enumerate(names):
            if place in {1, 5}:  # a low pane leaves a gap below it
                draw_text(url, "run", name, CHINESE)
            else:
                draw_lines(url, "run", name, [3.0, 2.0])
        watched = watch(url)
        page = watched.page
        page.goto(f"{url}/env/run")
        for _ in range(2):
            page.wait_for_function("document.querySelectorAll('.react-grid-item').length === 7")
            page.wait_for_timeout(500)  # until the panes have moved to their places
            assert not page.evaluate(OVERLAPS)
            assert page.evaluate(TITLES) == names
            draw_lines(url, "run", "first", [3.0, 1.0])
            page.reload()
        assert (watched.outside, watched.errors) == ([], [])


def test_sigterm_saves_and_a_new_server_shows_it_again(tmp_path: Path) -> None:
    for last in (signal.SIGTERM, signal.SIGINT):
        with serving(tmp_path / "visdom") as (url, process):
            if last == signal.SIGTERM:
                draw_text(url, "一个", "sample", CHINESE)
            # The second server saves what nobody has looked at, and loses nothing.
            process.send_signal(last)
            out, err = process.communicate(timeout=SECONDS)
            assert (process.returncode, out, err) == (0, "", "")
            saved = json.loads((tmp_path / "visdom" / "一个.json").read_bytes())
            assert CHINESE in saved["jsons"]["sample"]["content"]
    with serving(tmp_path / "visdom") as (url, _):
        window = json.loads(post(url, "win_data", {"eid": "一个", "win": "sample"}))
        assert CHINESE in window["content"]


def test_nothing_is_left_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    with serving(tmp_path / "visdom") as (url, process):
        draw_text(url, "run", "sample", CHINESE)
        assert "<title>visdom</title>" in get(url, "compare/main+run")  # 0.2.4 looks there
        process.terminate()
        process.wait(SECONDS)
    assert list(home.rglob("*")) == []


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a server for those who only ask."""
    with serving(tmp_path_factory.mktemp("visdom"), FOR_ALL_TESTS) as (url, _):
        yield url


def test_only_the_given_address_listens(url: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port_of(url)), timeout=SECONDS)


def test_a_page_of_another_site_is_refused(url: str) -> None:
    window = {"eid": "run", "win": "sample"}
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        post(url, "events", window, Origin="http://elsewhere.example")
    refused.value.close()
    assert post(url, "win_exists", window, Origin=url) == "false"


@pytest.mark.parametrize("path", ["//etc/passwd", "/%2fetc%2fpasswd", "/js/..%2f..%2fapp.py"])
def test_no_other_file_of_the_machine_is_served(url: str, path: str) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=SECONDS)
    connection.request("GET", f"/static{path}")
    assert connection.getresponse().status in {403, 404}
    connection.close()


def test_what_the_page_asks_for_and_visdom_has_not(url: str) -> None:
    icon = (ASSETS / "icon.svg").read_text("utf-8")
    assert get(url, "favicon.png") == get(url, "env/favicon.ico") == icon
    assert get(url, "static/js/of-a-later-version.js") == EMPTY_SCRIPT.read_text("utf-8")
    with pytest.raises(urllib.error.HTTPError, match="404") as missing:
        get(url, "static/css/of-a-later-version.css")
    missing.value.close()


@pytest.mark.parametrize("package", [("no-such-package", "a.js"), ("plotly", "no-such-file.js")])
def test_a_file_of_the_page_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, package: tuple[str, str]
) -> None:
    assert all(file.is_file() for file in page.page_files().values())
    monkeypatch.setitem(page._FROM_PACKAGES, "js/a.js", package)
    with pytest.raises(TextgenError, match=f"needs js/a.js from the package {package[0]}"):
        page.page_files()


def test_a_broken_environment_is_set_aside(tmp_path: Path) -> None:
    for name, content in {"cut": '{"jsons": {"a', "null": "null"}.items():
        (tmp_path / f"{name}.json").write_text(content)
    with serving(tmp_path) as (url, _):
        assert post(url, "win_exists", {"eid": "cut", "win": "sample"}) == "false"
    assert (tmp_path / "cut.broken").read_text() == '{"jsons": {"a'
    assert (tmp_path / "null.broken").read_text() == "null"


def refused(port: int, env_path: Path, address: str = "127.0.0.1") -> str:
    """Return what a server says that cannot start."""
    done = subprocess.run(
        command(port, env_path, address),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    return done.stderr


def test_a_port_that_a_visdom_has(tmp_path: Path, url: str) -> None:
    said = refused(port_of(url), tmp_path)
    assert f"a Visdom is already there, at {url}" in said


def test_a_port_that_somebody_has_who_says_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        began = time.monotonic()
        said = refused(port, tmp_path)
    assert f"port {port} is taken, and what has it does not answer as a Visdom" in said
    assert time.monotonic() - began < SECONDS


def test_an_address_that_is_none_of_this_machines(tmp_path: Path) -> None:
    said = refused(0, tmp_path, "192.0.2.1")
    assert said.startswith("textgen: Visdom cannot listen on 192.0.2.1, port 0: ")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "cannot keep Visdom's environments" in refused(0, tmp_path / "file")
