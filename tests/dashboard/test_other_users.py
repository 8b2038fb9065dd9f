"""Other users of the machine are strangers, whom only the token lets in."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import copy_run
from tests.processes import MOST_SECONDS, wait_for
from textgen.dashboard import peers
from textgen.dashboard.mirror import MirrorThread
from textgen.plots.run import of_run
from textgen.runs.folder import Run

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")

from tornado.httpclient import HTTPClientError

from tests.dashboard.attacked import Server, serving


def test_the_token_lets_in_and_nothing_else_does(tmp_path: Path) -> None:
    with serving(tmp_path, "token") as server:
        (file,) = tmp_path.glob("token-*")
        assert file.name == f"token-{server.port}"
        assert file.read_text() == server.token
        assert file.stat().st_mode & 0o777 == 0o600
        cookie = f"textgen-{server.port}"
        wrong = "x" * len(server.token)
        window = {"win": "a"}
        for headers in ({}, {"Authorization": f"token {wrong}"}, {"Cookie": f"{cookie}={wrong}"}):
            for path, body in (("/", None), ("/?token=", None), (f"/?token={wrong}", None),
                               ("/static/js/main.js", None), ("/win_exists", window)):  # fmt: skip
                answer = server.ask(path, body, **headers)
                assert answer.status == 403
                assert "prints a URL that lets others in" in answer.body
            with pytest.raises(HTTPClientError, match="403"):
                server.say(**headers)
        answer = server.ask(f"//evil.example/env/main?a=b&token={server.token}")
        assert (answer.status, answer.headers["Location"]) == (302, "/evil.example/env/main?a=b")
        given = answer.headers["Set-Cookie"]
        assert given == f"{cookie}={server.token}; Path=/; HttpOnly; SameSite=Strict"
        assert "<title>visdom</title>" in server.ask("/", Cookie=given.partition(";")[0]).body
        shown = {"Authorization": f"token {server.token}"}
        assert server.ask("/win_exists", window, **shown).body == "false"
        assert server.say(**shown)[0] == 1008
        foreign = server.ask(f"/?token={server.token}", Host="evil.example")
        assert foreign.status == 421
        server.stop()
    assert not file.exists()


def test_a_training_finds_the_token(tiny_run: Run, in_folder: Path) -> None:
    assert Path.cwd() == in_folder
    run = copy_run(tiny_run, "drawn")
    with serving(run.folder.parent / ".visdom", "token") as server:
        plain_url = f"http://127.0.0.1:{server.port}"
        for url, root in ((plain_url, run.folder.parent), (server.url, in_folder / "elsewhere")):
            thread = MirrorThread(url, root, lambda: [of_run(run)])
            thread.start()
            thread.close()
            assert thread._shown
        server.stop()


def test_without_the_token_one_line_says_what_to_give(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path / "visdom", "token") as server:
        thread = MirrorThread(f"127.0.0.1:{server.port}", tmp_path, list)
        thread.start()
        wait_for(lambda: caplog.messages)
        thread.close()
        server.stop()
    assert "give --visdom the URL that textgen monitor --token prints" in caplog.text
    assert server.token not in caplog.text


@pytest.mark.skipif(not peers.are_known(), reason="this system does not say whose a connection is")
def test_whose_a_connection_is() -> None:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.create_server((host, 0), family=family) as listener:
            other = socket.create_connection(listener.getsockname()[:2])
            own, _ = listener.accept()
            with own:
                assert peers.is_own(own)
                other.close()  # nobody's any more, and the kernel would call it root's
                assert own.recv(1) == b""
                assert not peers.is_own(own)
            assert not peers.is_own(own)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be another user"
)
@pytest.mark.skipif(not peers.are_known(), reason="this system does not say whose a connection is")
def test_another_user_of_the_machine_is_a_stranger(server: Server) -> None:
    program = (
        "import encodings.idna, http.client, os, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "for path in ('/', '/env/main', '/win_data'):\n"
        "    c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))\n"
        "    c.request('GET', path)\n"
        "    print(c.getresponse().status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(server.port)],
        capture_output=True, text=True, check=True, timeout=MOST_SECONDS,
    )  # fmt: skip
    assert done.stdout.split() == ["403"] * 3
