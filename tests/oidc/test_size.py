"""Endless, compressed, broken or redirected answers (TR03, TR04, TR06, UI07): not read whole, not followed."""

from __future__ import annotations

import gzip
import zlib
from functools import cache
from typing import Any

import pytest

from .calls import CALLS, TOKENS, Stopwatch, code_of, discovery, jwks, token, userinfo
from .conftest import Serve
from .faulty_behaviours import HEADERS, endless, writing
from .raw_server import answering, reply

LIMITS = {token: 256 * 1024, userinfo: 256 * 1024, jwks: 512 * 1024, discovery: 256 * 1024}


@CALLS
@pytest.mark.case("TR03", "UI07", "JO15")
@pytest.mark.parametrize(
    "framing", [b"\r\n", b"Content-Length: 100000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]
)
def test_body_of_100_mb_is_not_read(serve: Serve, call: Any, framing: bytes) -> None:
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n" if b"chunked" in framing else b"x" * 65536
    server = serve(endless(HEADERS + framing, piece))
    assert code_of(call, server.url) == "provider_answer_too_large"
    assert server.sent < 20_000_000


@CALLS
@pytest.mark.case("TR03")
def test_body_at_the_limit_is_read_and_one_byte_more_is_not(serve: Serve, call: Any) -> None:
    text = '{"keys": []' if call is jwks else TOKENS[:-1]
    padding = " " * (LIMITS[call] - len(text) - 1)
    server = serve(answering(reply(text + padding + "}")))
    if call is discovery:
        # It was read: it names no issuer.
        assert code_of(call, server.url) == "metadata_missing"
    else:
        assert call(server.url)
    assert code_of(call, serve(answering(reply(text + padding + " }"))).url) == "provider_answer_too_large"


@cache
def bomb(pack: Any) -> bytes:
    packed: bytes = pack(b" " * 50_000_000)
    return packed if len(packed) < 60_000 else b""


@CALLS
@pytest.mark.case("TR03")
@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_gzip_bomb_is_not_decompressed(serve: Serve, call: Any, name: str, pack: Any) -> None:
    server = serve(answering(reply(bomb(pack), Content_Encoding=name)))
    assert code_of(call, server.url) == "provider_answer_too_large"


@pytest.mark.parametrize(
    ("name", "pack"),
    [("gzip", gzip.compress), ("GZIP", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)],
)
def test_unrequested_compression_is_decoded(serve: Serve, name: str, pack: Any) -> None:
    assert token(serve(answering(reply(pack(TOKENS.encode()), Content_Encoding=name))).url).id_token == "a.b.c"


@pytest.mark.parametrize("name", ["", " ", "utf-8", "UTF-8", "Identity"])
def test_content_encoding_that_names_no_compression_is_ignored(serve: Serve, name: str) -> None:
    assert token(serve(answering(reply(TOKENS.encode(), Content_Encoding=name))).url).id_token == "a.b.c"


@pytest.mark.case("TR03")
@pytest.mark.parametrize("name", ["br", "zstd", "gzip, gzip", "gzip,gzip,gzip", "x"])
def test_other_or_nested_compression_is_refused(serve: Serve, name: str) -> None:
    server = serve(answering(reply(gzip.compress(gzip.compress(b"{}")), Content_Encoding=name)))
    assert code_of(token, server.url) == "provider_encoding_refused"


ENDLESS = {
    "one header": (HEADERS + b"X: ", b"x" * 65536),
    "many headers": (HEADERS, b"X: y\r\n" * 1000),
    "status line": (b"HTTP/1.1 200 ", b"x" * 65536),
    "chunk size": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65536),
    "chunk extension": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 65536),
    "trailers": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 10_000),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
}


@pytest.mark.case("TR03")
@pytest.mark.parametrize(("before", "piece"), ENDLESS.values(), ids=ENDLESS)
def test_endless_headers_or_chunks_are_not_read(serve: Serve, before: bytes, piece: bytes) -> None:
    server = serve(endless(before, piece))
    with Stopwatch() as watch:
        assert code_of(token, server.url) in {"provider_answer_too_large", "provider_answer_broken"}
    assert watch.seconds < 3
    assert server.sent < 20_000_000


BROKEN = {
    "body cut off": writing(HEADERS + b"Content-Length: 100\r\n\r\n{", then="close"),
    "body reset": writing(HEADERS + b"Content-Length: 100\r\n\r\n{", then="reset"),
    "chunk cut off": writing(HEADERS + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", then="close"),
    "chunk nonsense": writing(HEADERS + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", then="close"),
    "not http": writing(b"SSH-2.0-OpenSSH\r\n", then="close"),
    "nothing": writing(then="close"),
    "reset": writing(then="reset"),
    "half a status line": writing(b"HTTP/1.", then="close"),
    "not gzip": writing(reply(b"{}", Content_Encoding="gzip"), then="close"),
}


@pytest.mark.case("TR06")
@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN)
def test_answer_that_is_cut_off_or_invalid_is_refused_and_not_retried(serve: Serve, behaviour: Any) -> None:
    server = serve(behaviour)
    assert code_of(token, server.url) == "provider_answer_broken"
    assert len(server.received) == 1


@CALLS
@pytest.mark.case("TR04", "UI07", "JO19")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
def test_redirect_is_not_followed(serve: Serve, call: Any, status: int) -> None:
    target = serve(answering(reply(TOKENS)))
    server = serve(answering(reply(b"", f"{status} Elsewhere", Location=f"{target.url}/token")))
    assert code_of(call, server.url) == "provider_redirected"
    assert (len(server.received), target.connections) == (1, 0)


@pytest.mark.case("TR03", "TR04")
@pytest.mark.parametrize("location", ["http://127.0.0.1:1/", "http://[::1", "\xff", ""])
def test_endless_body_of_a_redirect_is_not_read(serve: Serve, location: str) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode("latin-1")
    server = serve(endless(head, b"x" * 65536))
    assert code_of(token, server.url) == "provider_redirected"
    assert server.sent < 20_000_000


@pytest.mark.case("SS01", "JO19")
@pytest.mark.parametrize(
    "base",
    [
        "http://auth.example.test",
        "http://169.254.169.254",
        "http://0.0.0.0",
        "http://2130706433",
        "http://localhost.evil.test",
        "http://127.0.0.1@evil.test",
        "file:///etc",
        "ftp://127.0.0.1",
        "",
        "//127.0.0.1",
    ],
)
def test_url_that_is_neither_https_nor_loopback_is_refused(base: str) -> None:
    assert code_of(token, base) == "provider_url_refused"


@pytest.mark.parametrize("base", ["http://[::1", "https://", "https://a b.test", "http://127.0.0.1:99999"])
def test_malformed_url_is_refused(base: str) -> None:
    assert code_of(token, base) in {"provider_url_refused", "provider_name_unresolved"}
