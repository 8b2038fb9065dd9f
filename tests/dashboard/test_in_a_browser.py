"""Attacks on a real browser and by one: it keeps what a page may not, and the server refuses it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pages import Watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")

from tests.dashboard.attacked import Server, serving


def test_a_page_in_chromium_whose_name_came_to_point_here(
    server: Server, browser: "Browser"
) -> None:
    rebound = f"http://evil.example:{server.port}"
    page = browser.new_page()  # to which conftest.py says where evil.example is
    answer = page.goto(f"{rebound}/env/main")
    assert answer is not None
    assert answer.status == 421
    written = page.evaluate(
        """() => fetch('/env/x', {method: 'POST', body: '{"eid": "../../left"}',
                signal: AbortSignal.timeout(30000)})
            .then(answer => answer.status)"""
    )
    heard = page.evaluate(
        """() => new Promise(resolve => {
            const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
            socket.onmessage = event => resolve(event.data);
            socket.onerror = () => resolve('nothing');
            setTimeout(() => resolve('no end'), 30000);
        })"""
    )
    page.context.close()
    assert (written, heard) == (421, "nothing")


def test_a_browser_opens_the_url_with_the_token_once(
    tmp_path: Path, watch: Callable[[str], Watched]
) -> None:
    with serving(tmp_path, "token") as server:
        server.ask("/env/seen", {"eid": "seen"}, Authorization=f"token {server.token}")
        url = f"http://127.0.0.1:{server.port}"
        page = watch(url).page
        page.goto(server.url)
        assert page.url == f"{url}/"
        for _ in range(2):
            page.wait_for_function("document.body.innerText.includes('online')")
            page.goto(url)
        assert page.evaluate("document.cookie") == ""
        server.stop()


def test_no_script_of_a_pane_runs_and_no_name_breaks_the_page(
    server: Server, watch: Callable[[str], Watched]
) -> None:
    name = 'it\'s "one" & 甲 ${x} `y`'
    attack = (
        "<p id=shown>shown</p><script>window.owned = 1</script>"
        '<img src=x onerror="window.owned = 2"><svg onload="window.owned = 3"></svg>'
        '<a id=link href="javascript:window.owned = 4">a</a><iframe srcdoc="x"></iframe>'
        '<img src="http://elsewhere.example/x">'
    )
    server.draw(name, "pane", attack)
    watched = watch(server.url)
    page = watched.page
    page.goto(f"{server.url}/")
    page.wait_for_function("document.querySelector('#app').children.length > 0")
    page.goto(f"{server.url}/env/{name.replace('&', '%26').replace(' ', '%20')}")
    page.wait_for_selector("#shown")
    page.evaluate("document.querySelector('#link').click()")
    page.wait_for_timeout(300)
    assert page.evaluate("window.owned") is None
    assert name in page.evaluate("document.body.innerText + ENV_LIST")
    assert "elsewhere.example" not in "".join(watched.outside)
