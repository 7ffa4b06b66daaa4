"""TLS: certificates are always verified. A site may add its own certificate authority and a CONNECT proxy."""

from __future__ import annotations

import base64
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from psc_connect.oidc.errors import ProviderUnavailable
from psc_connect.oidc.http import HTTPPolicy

from .calls import TOKENS, Stopwatch, code_of, jwks, token, userinfo
from .conftest import Serve
from .faulty_behaviours import closing_the_second_time
from .raw_server import OTHER_NAMES, Connection, answering, bundle, reply, server_context, tunnelling


def policy(tmp_path: Path, **options: Any) -> HTTPPolicy:
    return HTTPPolicy(
        ca_bundle=bundle(tmp_path), connect_timeout=2, read_timeout=2, allow_loopback_http=True, **options
    )


def test_private_authority_of_the_site_is_trusted(serve: Serve, tmp_path: Path) -> None:
    server = serve(answering(reply(TOKENS)), server_context(tmp_path))
    assert token(server.url, http=policy(tmp_path))
    assert userinfo(server.url, http=policy(tmp_path))
    assert server.connections == 1


@pytest.mark.case("TR11")
def test_unconfigured_private_authority_is_not_trusted(serve: Serve, tmp_path: Path) -> None:
    server = serve(answering(reply(TOKENS)), server_context(tmp_path))
    default = HTTPPolicy(read_timeout=2, allow_loopback_http=True)
    assert code_of(token, server.url, http=default) == "provider_tls_unknown_authority"
    assert server.received == []


@pytest.mark.case("TR11")
def test_another_authority_is_not_trusted(serve: Serve, tmp_path: Path) -> None:
    server = serve(answering(reply(TOKENS)), server_context(tmp_path))
    other = HTTPPolicy(ca_bundle=bundle(tmp_path, "Another CA"), allow_loopback_http=True)
    assert code_of(token, server.url, http=other) == "provider_tls_unknown_authority"
    assert server.received == []


@pytest.mark.case("TR11")
@pytest.mark.parametrize(
    ("fault", "code", "detail"),
    [
        ({"names": OTHER_NAMES}, "provider_tls_other_host", "IP address mismatch"),
        ({"names": ()}, "provider_tls_other_host", "IP address mismatch"),
        ({"days": -1}, "provider_tls_expired", "certificate has expired"),
        ({"begins": 1, "days": 2}, "provider_tls_not_yet_valid", "certificate is not yet valid"),
    ],
    ids=str,
)
def test_certificate_that_is_refused_has_the_code_of_its_fault(
    serve: Serve, tmp_path: Path, fault: dict[str, Any], code: str, detail: str
) -> None:
    server = serve(answering(reply(TOKENS)), server_context(tmp_path, **fault))
    with pytest.raises(ProviderUnavailable) as raised:
        token(server.url, http=policy(tmp_path))
    assert raised.value.code == code
    assert raised.value.detail.startswith(detail)
    assert raised.value.url == f"{server.url}/token"
    assert server.received == []


@pytest.mark.case("TR11")
def test_certificate_for_another_host_name_has_its_code(serve: Serve, tmp_path: Path) -> None:
    server = serve(answering(reply(TOKENS)), server_context(tmp_path, names=OTHER_NAMES))
    url = server.url.replace("127.0.0.1", "localhost")
    assert code_of(token, url, http=policy(tmp_path)) == "provider_tls_other_host"
    assert server.received == []


@pytest.mark.parametrize("call", [token, jwks], ids=["POST", "GET"])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_demanded_client_certificate_has_its_code(serve: Serve, tmp_path: Path, version: str, call: Any) -> None:
    """In TLS 1.3 the server says so after the handshake: at the first read."""
    server = serve(answering(reply(TOKENS)), server_context(tmp_path, mutual=version))
    assert code_of(call, server.url, http=policy(tmp_path)) == "provider_tls_client_certificate"
    assert server.received == []


def test_demanded_client_certificate_of_nginx_has_its_code(serve: Serve, tmp_path: Path) -> None:
    """nginx completes the handshake, and answers with a page."""
    page = "<html><body><h1>400 Bad Request</h1><center>No required SSL certificate was sent</center></body></html>"
    server = serve(answering(reply(page, "400 Bad Request", content_type="text/html")), server_context(tmp_path))
    assert code_of(token, server.url, http=policy(tmp_path)) == "provider_tls_client_certificate"


def test_no_common_cipher_is_no_demand_for_a_certificate(serve: Serve, tmp_path: Path) -> None:
    context = server_context(tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    # The certificate has an EC key.
    context.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384")
    assert code_of(token, serve(answering(reply(TOKENS)), context).url, http=policy(tmp_path)) == "provider_tls_failed"


@pytest.mark.case("TR11")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_tls_1_1_is_refused(serve: Serve, tmp_path: Path) -> None:
    context = server_context(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert code_of(token, serve(answering(reply(TOKENS)), context).url, http=policy(tmp_path)) == "provider_tls_failed"


def test_tls_1_2_is_accepted(serve: Serve, tmp_path: Path) -> None:
    context = server_context(tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert token(serve(answering(reply(TOKENS)), context).url, http=policy(tmp_path))


@pytest.mark.case("TR12")
def test_environment_adds_no_authority(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, bundle(tmp_path))
    server = serve(answering(reply(TOKENS)), server_context(tmp_path))
    default = HTTPPolicy(read_timeout=1.9, allow_loopback_http=True)
    assert code_of(token, server.url, http=default) == "provider_tls_unknown_authority"


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_unreadable_ca_bundle_has_a_code(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    unreadable = HTTPPolicy(ca_bundle=str(path))
    assert code_of(token, "https://auth.example.test", http=unreadable) == "provider_ca_bundle_unreadable"


@pytest.mark.case("TR01")
def test_endless_handshake_ends_at_the_deadline(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda connection: connection.hang())
    with Stopwatch() as watch:
        code = code_of(token, server.url.replace("http:", "https:"), http=policy(tmp_path), seconds=0.3)
    assert code == "provider_timeout"
    assert watch.seconds < 2


@pytest.mark.case("TR02")
def test_slow_provider_behind_tls_ends_at_the_deadline(serve: Serve, tmp_path: Path) -> None:
    def behave(connection: Connection) -> None:
        connection.receive()
        connection.drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50, 0.05)

    server = serve(behave, server_context(tmp_path))
    with Stopwatch() as watch:
        assert code_of(token, server.url, http=policy(tmp_path), seconds=0.4) == "provider_timeout"
    assert watch.seconds < 2


def test_plain_http_on_the_port_of_tls_is_a_tls_failure(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda connection: connection.send(reply(b"x", "400 Bad Request")))
    assert code_of(token, server.url.replace("http:", "https:"), http=policy(tmp_path)) == "provider_tls_failed"


@pytest.mark.parametrize("how", ["close", "reset"])
def test_request_is_sent_again_once_behind_tls_too(serve: Serve, tmp_path: Path, how: str) -> None:
    server = serve(closing_the_second_time(how), server_context(tmp_path))
    assert token(server.url, http=policy(tmp_path))
    assert token(server.url, http=policy(tmp_path))
    assert [each.connection for each in server.received] == [1, 1, 2]


def test_requests_go_through_the_proxy_of_the_site(serve: Serve, tmp_path: Path) -> None:
    server, proxy = serve(answering(reply(TOKENS)), server_context(tmp_path)), serve(tunnelling)
    through = policy(tmp_path, https_proxy=proxy.url)
    assert token(server.url, http=through)
    assert userinfo(server.url, http=through)
    assert [(each.method, each.target) for each in proxy.received] == [("CONNECT", f"127.0.0.1:{server.port}")]
    assert (len(server.received), server.connections) == (2, 1)


def test_proxy_sees_neither_secret_nor_code(serve: Serve, tmp_path: Path) -> None:
    proxied = bytearray()

    def listening(connection: Connection) -> None:
        original = connection.sock.recv

        class Listener:
            def __getattr__(self, name: str) -> Any:
                return getattr(connection_sock, name)

            def recv(self, size: int) -> bytes:
                data = original(size)
                proxied.extend(data)
                return data

        connection_sock = connection.sock
        connection.sock = Listener()  # type: ignore[assignment]
        tunnelling(connection)

    server, proxy = serve(answering(reply(TOKENS)), server_context(tmp_path)), serve(listening)
    assert token(server.url, http=policy(tmp_path, https_proxy=proxy.url))
    assert b"CONNECT" in proxied
    assert b"the-secret" not in proxied
    assert b"the-code" not in proxied


def test_request_is_sent_again_once_through_the_proxy_too(serve: Serve, tmp_path: Path) -> None:
    server = serve(closing_the_second_time("close"), server_context(tmp_path))
    through = policy(tmp_path, https_proxy=serve(tunnelling).url)
    assert token(server.url, http=through)
    assert token(server.url, http=through)
    assert [each.connection for each in server.received] == [1, 1, 2]


def test_credentials_of_the_proxy_are_sent_to_the_proxy(serve: Serve, tmp_path: Path) -> None:
    server, proxy = serve(answering(reply(TOKENS)), server_context(tmp_path)), serve(tunnelling)
    address = proxy.url.replace("://", "://nurse:p%40ss@")
    assert token(server.url, http=policy(tmp_path, https_proxy=address))
    sent_credentials = proxy.received[0].headers["proxy-authorization"]
    assert base64.b64decode(sent_credentials.removeprefix("Basic ")) == b"nurse:p@ss"
    assert "proxy-authorization" not in server.received[0].headers
    assert "p%40ss" not in repr(policy(tmp_path, https_proxy=address))


@pytest.mark.case("TR11")
def test_certificate_is_checked_through_the_proxy_too(serve: Serve, tmp_path: Path) -> None:
    server, proxy = serve(answering(reply(TOKENS)), server_context(tmp_path, names=OTHER_NAMES)), serve(tunnelling)
    assert code_of(token, server.url, http=policy(tmp_path, https_proxy=proxy.url)) == "provider_tls_other_host"
    assert server.received == []


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
def test_refusal_of_the_proxy_has_a_code(serve: Serve, tmp_path: Path, status: str) -> None:
    proxy = serve(answering(reply(b"", status)))
    code = code_of(token, "https://auth.example.test", http=policy(tmp_path, https_proxy=proxy.url))
    assert code == "provider_proxy_failed"
    assert len(proxy.received) == 1


def test_unreachable_proxy_has_a_code(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    through = policy(tmp_path, https_proxy=f"http://127.0.0.1:{port}")
    assert code_of(token, "https://auth.example.test", http=through) == "provider_proxy_failed"


@pytest.mark.case("TR01", "TR02")
def test_slow_proxy_ends_at_the_deadline(serve: Serve, tmp_path: Path) -> None:
    def behave(connection: Connection) -> None:
        connection.receive()
        connection.drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50, 0.05)

    through = policy(tmp_path, https_proxy=serve(behave).url)
    with Stopwatch() as watch:
        assert code_of(token, "https://auth.example.test", http=through, seconds=0.4) == "provider_timeout"
    assert watch.seconds < 2


@pytest.mark.case("TR01")
def test_handshake_has_only_the_time_left_by_a_slow_proxy(serve: Serve, tmp_path: Path) -> None:
    def behave(connection: Connection) -> None:
        connection.receive()
        time.sleep(0.35)
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.hang()

    through = policy(tmp_path, https_proxy=serve(behave).url)
    with Stopwatch() as watch:
        assert code_of(token, "https://auth.example.test", http=through, seconds=0.5) == "provider_timeout"
    assert watch.seconds < 2


def test_provider_on_this_machine_is_not_called_through_the_proxy(serve: Serve, tmp_path: Path) -> None:
    server, proxy = serve(answering(reply(TOKENS))), serve(tunnelling)
    assert token(server.url, http=policy(tmp_path, https_proxy=proxy.url))
    assert proxy.connections == 0
