"""Private addresses (SS01, SS03): refused unless the site allows them for that host name."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from psc_connect.oidc.client import resolve_host
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import ProviderUnavailable
from psc_connect.oidc.http import HTTPPolicy
from psc_connect.oidc.transport import is_private

from .calls import CALLS, TOKENS, code_of, token
from .conftest import Serve
from .raw_server import answering, bundle, reply, server_context, tunnelling

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:a00:1::1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "::10.0.0.1",
    "fec0::1",
    "192.0.0.8",
    "240.0.0.1",
    "ff02::1",
]
PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::101:101"]


@pytest.mark.case("SS03")
@pytest.mark.parametrize("address", PRIVATE)
def test_private_address_is_recognised_in_every_spelling(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_not_private(address: str) -> None:
    assert not is_private(address)


@pytest.mark.case("SS01", "SS03")
@CALLS
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "2130706433", "0x7f.1", "0177.0.0.1", "127.1"]
)
def test_private_ip_address_as_host_is_refused(call: Any, host: str) -> None:
    assert code_of(call, f"https://{host}", http=HTTPPolicy()) == "provider_address_refused"


@pytest.mark.case("SS01")
@CALLS
@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://a.example", "http://auth.example.test", "https://["])
def test_url_that_is_not_https_is_refused(call: Any, url: str) -> None:
    assert code_of(call, url, http=HTTPPolicy(allow_loopback_http=True)) == "provider_url_refused"


def resolving_to(*addresses: str) -> Any:
    def getaddrinfo(host: str, port: int, **_options: Any) -> Any:
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in each], socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    return getaddrinfo


@pytest.mark.case("SS03")
@CALLS
@pytest.mark.parametrize("addresses", [("10.0.0.1",), ("::ffff:10.0.0.1",), ("93.184.216.34", "127.0.0.1")], ids=str)
def test_host_name_with_a_private_address_is_refused(call: Any, monkeypatch: Any, addresses: tuple[str, ...]) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to(*addresses))
    assert code_of(call, "https://auth.example.test", http=HTTPPolicy()) == "provider_address_refused"


@pytest.mark.case("SS03")
def test_the_address_of_the_connection_is_checked(serve: Serve, monkeypatch: Any) -> None:
    """DNS rebinding: the first answer is a public address, the second a private one."""
    server = serve(answering(reply(TOKENS)))
    answers = iter(["93.184.216.34", "127.0.0.1"])

    def getaddrinfo(*args: Any, **options: Any) -> Any:
        return resolving_to(next(answers))(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert resolve_host("auth.example.test", 443, http=HTTPPolicy(), deadline=Deadline(5)) == ("93.184.216.34",)
    assert code_of(token, "https://auth.example.test", http=HTTPPolicy()) == "provider_address_refused"
    assert server.received == []


def test_allowed_host_may_have_a_private_address(serve: Serve, tmp_path: Any, monkeypatch: Any) -> None:
    server = serve(answering(reply(TOKENS)), server_context(tmp_path))
    port = server.url.rpartition(":")[2]
    policy = HTTPPolicy(ca_bundle=bundle(tmp_path), private_hosts=frozenset({"localhost"}))
    assert token(f"https://LOCALHOST:{port}", http=policy)
    other = HTTPPolicy(ca_bundle=bundle(tmp_path), private_hosts=frozenset({"sso.example.test"}))
    assert code_of(token, f"https://localhost:{port}", http=other) == "provider_address_refused"


def test_proxy_may_have_a_private_address_and_resolves_the_host(serve: Serve, tmp_path: Any, monkeypatch: Any) -> None:
    server = serve(answering(reply(TOKENS)), server_context(tmp_path))
    proxy = serve(tunnelling)
    policy = HTTPPolicy(ca_bundle=bundle(tmp_path), https_proxy=proxy.url)
    port = server.url.rpartition(":")[2]
    assert token(f"https://localhost:{port}", http=policy)
    assert code_of(token, "https://10.0.0.1", http=policy) == "provider_address_refused"


def test_unresolved_name_has_a_code(monkeypatch: Any) -> None:
    def nobody(*_args: Any, **_options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(ProviderUnavailable) as raised:
        resolve_host("auth.example.test", 443, http=HTTPPolicy(), deadline=Deadline(5))
    assert raised.value.code == "provider_name_unresolved"
