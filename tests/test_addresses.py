from textgen.addresses import is_loopback, is_unspecified, reachable, url_of


def test_which_addresses_are_this_machines_own() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.9.9.9", "::1")))
    assert not any(map(is_loopback, ("", "0.0.0.0", "192.0.2.1", "::", "elsewhere.example")))  # noqa: S104
    assert all(map(is_unspecified, ("0.0.0.0", "::")))  # noqa: S104
    assert not any(map(is_unspecified, ("", "localhost", "127.0.0.1", "elsewhere.example")))


def test_where_a_browser_finds_a_server() -> None:
    assert url_of("127.0.0.1", 80) == url_of("0.0.0.0", 80) == "http://127.0.0.1:80"  # noqa: S104
    assert url_of("::", 80) == url_of("::1", 80) == "http://[::1]:80"
    assert reachable("elsewhere.example") == "elsewhere.example"
