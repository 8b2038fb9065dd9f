"""Only this machine's own pages and programs are answered: each attack fails, and is told why."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    pass

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")

from tornado.httpclient import HTTPClientError

from tests.dashboard.attacked import Answer, Server


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.", "127.0.0.1@evil.example", "", "[::1",
     "evil.example@127.0.0.1", "0x7f000001", "192.0.2.1"],
)  # fmt: skip
def test_a_name_that_came_to_point_here_is_refused(server: Server, host: str) -> None:
    window = {"eid": "main", "win": "control"}
    for path, body in (("/", None), ("/win_data", window), ("/env/x", {"eid": "rebound"})):
        answer = server.ask(path, body, Host=f"{host}:{server.port}")
        assert answer.status == 421 or (answer.status == 400 and not answer.body)
        assert "a text" not in answer.body
    with pytest.raises(HTTPClientError, match=r"421|400"):
        server.say(Host=f"{host}:{server.port}")
    assert "rebound" not in server.ask("/").body


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST:1", "127.0.0.1:9000", "[::1]:8097"])
def test_its_own_names_and_a_tunnels_port_are_answered(server: Server, host: str) -> None:
    answer = server.ask("/win_exists", {"win": "control"}, Host=host, Origin=f"http://{host}")
    assert answer == Answer(200, "true", answer.headers)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", "", "["]
)
def test_no_page_of_another_site_asks_or_listens(server: Server, origin: str) -> None:
    answer = server.ask("/env/x", {"eid": "foreign"}, Origin=origin)
    assert answer.status == 403
    assert "pages of other sites may not ask" in answer.body
    with pytest.raises(HTTPClientError, match="403"):
        server.say(Origin=origin)
    assert "foreign" not in server.ask("/").body
