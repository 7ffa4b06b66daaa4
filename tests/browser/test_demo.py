"""Repeated starts of the demonstration."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.request import urlopen

from tests.browser.demo import running_demo


def test_demonstration_stops_cleanly_and_starts_again_with_its_data(tmp_path: Path) -> None:
    with running_demo(tmp_path) as first:
        assert first.password
        assert first.stop() == 0
    assert "Stopped." in first.output[-1]
    with running_demo(tmp_path) as again:
        assert again.site == first.site
        assert again.password == ""
        with urlopen(again.site) as answer:
            assert "psc-button" in answer.read().decode()
    assert "Traceback" not in "".join(first.output + again.output)


def test_demonstration_uses_another_port_if_its_own_is_in_use(tmp_path: Path) -> None:
    with running_demo(tmp_path) as first:
        pass
    with socket.socket() as other_server:
        other_server.bind(("127.0.0.1", int(first.site.rsplit(":")[-1].strip("/"))))
        other_server.listen()
        with running_demo(tmp_path) as again:
            assert again.site != first.site


def test_password_of_the_administrator_can_be_reset(tmp_path: Path) -> None:
    with running_demo(tmp_path) as first:
        pass
    with running_demo(tmp_path, "--reset-password") as again:
        assert again.password not in {"", first.password}
