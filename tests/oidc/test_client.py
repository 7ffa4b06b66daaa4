"""Requests to the provider, and the meaning of its answers."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
from typing import Any
from urllib.parse import unquote_plus

import pytest

from psc_connect.oidc.client import ClientCredentials, Tokens
from psc_connect.oidc.errors import OIDCError
from psc_connect.oidc.http import Answer
from psc_connect.oidc.jwks import parse_jwks

from .calls import ACCESS_TOKEN, CALLS, CODE, SECRET, TOKENS, VERIFIER, code_of, discovery, jwks, token, userinfo
from .conftest import Serve
from .raw_server import Connection, answering, reply
from .test_jwks import private_jwk
from .tokens import jwk, rsa_key

ODD_SECRET, ODD_CLIENT = "a:b%/+é &=?#", "client:é %"


def test_code_is_exchanged_for_tokens(serve: Serve) -> None:
    server = serve(answering(reply(TOKENS)))
    assert token(server.url) == Tokens(ACCESS_TOKEN, "a.b.c")
    (request,) = server.received
    assert (request.method, request.target) == ("POST", "/token")
    assert request.form == {
        "grant_type": "authorization_code",
        "code": CODE,
        "redirect_uri": "https://hospital.test/psc/callback/",
        "code_verifier": VERIFIER,
        "client_id": "hospital",
        "client_secret": SECRET,
    }
    assert "authorization" not in request.headers


@pytest.mark.case("TR13")
def test_basic_authentication_is_form_encoded_first(serve: Serve) -> None:
    server = serve(answering(reply(TOKENS)))
    token(server.url, secret=ODD_SECRET, client_id=ODD_CLIENT, method="client_secret_basic")
    (request,) = server.received
    scheme, _, pair = request.headers["authorization"].partition(" ")
    client_id, _, secret = base64.b64decode(pair).decode("ascii").partition(":")
    assert (scheme, unquote_plus(client_id), unquote_plus(secret)) == ("Basic", ODD_CLIENT, ODD_SECRET)
    assert not {"client_id", "client_secret"} & set(request.form)


@pytest.mark.case("TR13")
def test_secret_is_in_the_body_and_never_in_the_address(serve: Serve) -> None:
    server = serve(answering(reply(TOKENS)))
    token(server.url, secret=ODD_SECRET)
    assert server.received[0].form["client_secret"] == ODD_SECRET
    assert server.received[0].target == "/token"


def test_unsupported_authentication_method_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="authentication"):
        token("http://127.0.0.1:9", method="private_key_jwt")


def test_userinfo_request_has_the_access_token_in_the_header(serve: Serve) -> None:
    server = serve(answering(reply('{"sub": "x"}', content_type="application/json;charset=UTF-8")))
    assert userinfo(server.url) == Answer(200, "application/json;charset=UTF-8", b'{"sub": "x"}')
    (request,) = server.received
    assert (request.method, request.target) == ("GET", "/userinfo")
    assert request.headers["authorization"] == f"Bearer {ACCESS_TOKEN}"


@CALLS
def test_every_request_has_a_user_agent_and_asks_for_no_compression(serve: Serve, call: Any) -> None:
    server = serve(answering(reply('{"keys": []}' if call is jwks else TOKENS)))
    with contextlib.suppress(OIDCError):
        call(server.url)
    headers = server.received[0].headers
    assert (headers["user-agent"], headers["accept-encoding"]) == ("django-psc-connect", "identity")
    assert "application/json" in headers["accept"]


@pytest.mark.case("TR05")
@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        ("401 Unauthorized", "unauthorized_client", "token_unauthorized_client"),
        ("401 Unauthorized", "invalid_client", "token_invalid_client"),
        ("400 Bad Request", "invalid_client", "token_invalid_client"),
        ("400 Bad Request", "invalid_grant", "token_invalid_grant"),
        ("400 Bad Request", "invalid_request", "token_refused"),
        ("400 Bad Request", "something_new", "token_refused"),
        ("403 Forbidden", "access_denied", "token_forbidden"),
        ("401 Unauthorized", "x", "token_forbidden"),
        ("200 OK", "invalid_grant", "token_invalid_grant"),
    ],
)
def test_error_of_the_token_endpoint_has_a_code_and_is_not_retried(
    serve: Serve, status: str, error: str, code: str
) -> None:
    server = serve(answering(reply(f'{{"error": "{error}", "error_description": "{SECRET}"}}', status)))
    assert code_of(token, server.url) == code
    assert len(server.received) == 1


@pytest.mark.parametrize("error", [None, ""])
def test_good_answer_with_an_empty_error_is_accepted(serve: Serve, error: str | None) -> None:
    server = serve(answering(reply(json.dumps({**json.loads(TOKENS), "error": error}))))
    assert token(server.url).id_token == "a.b.c"


@pytest.mark.case("TR05")
@pytest.mark.parametrize("error", [False, 0, [], {}, " "])
def test_answer_with_another_error_is_a_refusal(serve: Serve, error: object) -> None:
    server = serve(answering(reply(json.dumps({**json.loads(TOKENS), "error": error}))))
    assert code_of(token, server.url) == "token_refused"


@pytest.mark.case("TR05")
@pytest.mark.parametrize(
    ("status", "code"), [("400 Bad Request", "token_refused"), ("401 Unauthorized", "token_forbidden")]
)
def test_refusal_with_an_empty_error_is_a_refusal(serve: Serve, status: str, code: str) -> None:
    server = serve(answering(reply(json.dumps({**json.loads(TOKENS), "error": None}), status)))
    assert code_of(token, server.url) == code


@pytest.mark.case("TR05")
@pytest.mark.parametrize("body", ["", "no json", "[]", '{"error": 5}', '{"error": ["invalid_client"]}'])
def test_refusal_with_an_invalid_body_is_a_refusal(serve: Serve, body: str) -> None:
    server = serve(answering(reply(body, "400 Bad Request", content_type="text/plain")))
    assert code_of(token, server.url) in {"token_refused", "token_not_an_object"}


STATUSES = [
    ("500 Internal Server Error", "provider_server_error"),
    ("503 Service Unavailable", "provider_server_error"),
    ("429 Too Many Requests", "provider_busy"),
    ("404 Not Found", "provider_not_found"),
    ("204 No Content", "provider_unexpected_status"),
    ("206 Partial Content", "provider_unexpected_status"),
]


@CALLS
@pytest.mark.case("TR05", "UI04", "JO15")
@pytest.mark.parametrize(("status", "code"), STATUSES, ids=[status[:3] for status, _ in STATUSES])
def test_unusable_status_has_a_code(serve: Serve, call: Any, status: str, code: str) -> None:
    server = serve(answering(reply(b"" if status.startswith("204") else b"{}", status, Retry_After="1")))
    assert code_of(call, server.url) == code
    retried = call in (jwks, discovery) and code == "provider_server_error"
    assert len(server.received) == (2 if retried else 1)


@pytest.mark.case("TR06")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "token_not_json"),
        (b"access_token=x", "token_not_json"),
        (b"[]", "token_not_an_object"),
        (b"null", "token_not_an_object"),
        (b'"text"', "token_not_an_object"),
        (b"\xef\xbb\xbf" + TOKENS.encode(), "token_not_json"),
        (b'{"access_token": "a", "access_token": "b"}', "token_not_json"),
        (b'{"expires_in": NaN}', "token_not_json"),
        (b"\xff", "token_not_json"),
        (b"[" * 10_000, "token_not_json"),
    ],
)
def test_answer_of_the_token_endpoint_must_be_strict_json(serve: Serve, body: bytes, code: str) -> None:
    assert code_of(token, serve(answering(reply(body))).url) == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"id_token": None}, "token_id_token_missing", marks=pytest.mark.case("TR07")),
        pytest.param({"id_token": ""}, "token_id_token_missing", marks=pytest.mark.case("TR07")),
        pytest.param({"id_token": 5}, "token_id_token_missing", marks=pytest.mark.case("TR06", "TR07")),
        pytest.param({"access_token": None}, "token_access_token_missing", marks=pytest.mark.case("TR08")),
        pytest.param({"access_token": ""}, "token_access_token_missing", marks=pytest.mark.case("TR08")),
        pytest.param({"access_token": ["x"]}, "token_access_token_missing", marks=pytest.mark.case("TR06", "TR08")),
        pytest.param({"access_token": "a\r\nX: y"}, "token_access_token_malformed", marks=pytest.mark.case("TR06")),
        pytest.param({"access_token": "a b"}, "token_access_token_malformed", marks=pytest.mark.case("TR06")),
        pytest.param({"access_token": "é"}, "token_access_token_malformed", marks=pytest.mark.case("TR06")),
        pytest.param({"access_token": "a" * 32_769}, "token_access_token_malformed", marks=pytest.mark.case("TR06")),
        pytest.param({"token_type": "mac"}, "token_type_not_bearer", marks=pytest.mark.case("TR09")),
        pytest.param({"token_type": None}, "token_type_not_bearer", marks=pytest.mark.case("TR09")),
        pytest.param({"token_type": ["Bearer"]}, "token_type_not_bearer", marks=pytest.mark.case("TR09")),
    ],
)
def test_answer_with_one_thing_wrong_is_refused(serve: Serve, change: dict[str, Any], code: str) -> None:
    import json

    assert code_of(token, serve(answering(reply(json.dumps(json.loads(TOKENS) | change)))).url) == code


@pytest.mark.case("TR09")
@pytest.mark.parametrize("spelling", ["Bearer", "bearer", "bEARER", "BEARER"])
def test_token_type_is_case_insensitive(serve: Serve, spelling: str) -> None:
    server = serve(answering(reply(TOKENS.replace("Bearer", spelling), content_type="text/json")))
    assert token(server.url).id_token == "a.b.c"


@pytest.mark.case("UI04")
@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "400 Bad Request"])
def test_refusal_of_the_userinfo_endpoint_has_its_code(serve: Serve, status: str) -> None:
    server = serve(answering(reply('{"error": "invalid_token"}', status)))
    assert code_of(userinfo, server.url) == "userinfo_refused"
    assert len(server.received) == 1


@CALLS
@pytest.mark.case("OU02", "JO15", "UI04")
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<!DOCTYPE html><h1>Maintenance</h1>", "text/html; charset=utf-8"),
        ("\n <html>", "application/json"),
        ("Maintenance", "text/html"),
        ("<html>", "application/xhtml+xml"),
    ],
)
@pytest.mark.parametrize(
    ("status", "code"), [("200 OK", "provider_maintenance_page"), ("403 Forbidden", "provider_refusal_page")]
)
def test_html_page_is_recognised(serve: Serve, call: Any, body: str, content_type: str, status: str, code: str) -> None:
    server = serve(answering(reply(body, status, content_type=content_type)))
    assert code_of(call, server.url) == code


@pytest.mark.case("JO14")
def test_fetched_key_set_has_no_private_members(serve: Serve) -> None:
    import json

    private = private_jwk()
    server = serve(answering(reply(json.dumps({"keys": [private, jwk(rsa_key())]}))))
    fetched = jwks(server.url)
    assert private["d"] not in json.dumps(fetched)
    parsed = parse_jwks(fetched)
    assert ([key.kid for key in parsed.keys], [key.reason for key in parsed.ignored]) == (
        ["key-1"],
        ["jwks_key_private"],
    )


@pytest.mark.case("JO15")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{}", "jwks_keys_missing"),
        ("[]", "jwks_not_an_object"),
        ("{", "jwks_not_json"),
        ('{"keys": [], "keys": []}', "jwks_not_json"),
        ('{"issuer": "x"}', "jwks_looks_like_metadata"),
        ('{"keys": [' + ",".join(["{}"] * 10_000) + "]}", "jwks_too_many_keys"),
    ],
)
def test_answer_that_is_not_a_key_set_has_a_code(serve: Serve, body: str, code: str) -> None:
    assert code_of(jwks, serve(answering(reply(body))).url) == code


@pytest.mark.parametrize(("body", "code"), [("{", "metadata_not_json"), ("[]", "metadata_not_an_object")])
def test_answer_that_is_not_metadata_has_a_code(serve: Serve, body: str, code: str) -> None:
    assert code_of(discovery, serve(answering(reply(body))).url) == code


def document_of(connection: Connection, issuer: object) -> None:
    for _request in connection.requests():
        connection.send(reply(json.dumps({"issuer": issuer, "else": [1]})))


def test_fetched_metadata_keeps_unknown_members(serve: Serve) -> None:
    server = serve(lambda connection: document_of(connection, connection.server.url))
    assert discovery(server.url) == {"issuer": server.url, "else": [1]}


@pytest.mark.case("NW01")
@pytest.mark.parametrize(
    ("path", "issuer"),
    [
        ("/realms/b", "{server}/realms/a"),
        ("/realms/b", "{server}"),
        ("/realms/b", "{server}/realms/b/.."),
        ("/realms/b", "{server}/realms/B"),
        ("", "https://another.example"),
        ("", "http://127.0.0.1:9"),
    ],
)
def test_document_of_another_issuer_is_refused(serve: Serve, path: str, issuer: str) -> None:
    """OpenID Connect Discovery 1.0 section 4.3: with a document of its own, realm b would sign for realm a."""
    server = serve(lambda connection: document_of(connection, issuer.format(server=connection.server.url)))
    assert code_of(discovery, server.url + path) == "metadata_issuer_mismatch"


@pytest.mark.case("NW01")
@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        (None, "metadata_missing"),
        ("", "metadata_missing"),
        (["x"], "metadata_issuer_mismatch"),
        (7, "metadata_issuer_mismatch"),
    ],
)
def test_document_without_an_issuer_is_refused(serve: Serve, issuer: object, code: str) -> None:
    assert code_of(discovery, serve(lambda connection: document_of(connection, issuer)).url) == code


def test_issuer_with_a_slash_at_its_end_has_the_discovery_url_of_one_without(serve: Serve) -> None:
    server = serve(lambda connection: document_of(connection, connection.server.url + "/"))
    assert discovery(server.url)["issuer"] == server.url + "/"


@pytest.mark.parametrize("call", [jwks, discovery])
@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden"])
def test_refusal_of_metadata_or_key_set_has_a_code(serve: Serve, call: Any, status: str) -> None:
    assert code_of(call, serve(answering(reply(b"{}", status))).url) == "provider_request_refused"


@pytest.mark.parametrize("call", [jwks, discovery])
def test_get_is_sent_twice_after_a_server_error(serve: Serve, call: Any) -> None:
    def fail_once(connection: Connection) -> None:
        for _request in connection.requests():
            document = json.dumps({"issuer": connection.server.url, "keys": []})
            is_first = len(connection.server.received) == 1
            connection.send(reply(b"", "503 Service Unavailable") if is_first else reply(document))

    server = serve(fail_once)
    assert call(server.url)["keys"] == []
    assert len(server.received) == 2


def test_get_is_not_repeated_after_the_deadline(serve: Serve) -> None:
    server = serve(answering(reply(b"", "503 Service Unavailable"), reply('{"keys": []}')))
    assert code_of(jwks, server.url, seconds=0.25) == "provider_server_error"
    assert len(server.received) == 1


@pytest.mark.case("LG01", "CF02")
def test_no_secret_is_in_a_log_line_an_error_or_a_repr(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    good = serve(answering(reply(TOKENS)))
    bad = serve(answering(reply(f'{{"error": "invalid_grant", "error_description": "{CODE}"}}', "400 Bad Request")))
    broken = serve(answering(reply(TOKENS[:-1])))
    texts = [repr(token(good.url)), repr(userinfo(good.url)), repr(ClientCredentials("hospital", SECRET))]
    for server in (bad, broken):
        with pytest.raises(Exception, match="token_") as raised:
            token(server.url)
        texts += [str(raised.value), repr(raised.value), repr(raised.value.__cause__)]
    everything = caplog.text + "".join(texts)
    assert "POST /token" in caplog.text
    assert not [secret for secret in (CODE, VERIFIER, SECRET, ACCESS_TOKEN, "a.b.c") if secret in everything]
