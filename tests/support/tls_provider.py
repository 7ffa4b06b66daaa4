"""A provider over TLS with a certificate of a private authority, as a hospital has."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from psc_connect.models import Provider
from tests.oidc.raw_server import Connection, RawServer, reply, server_context
from tests.support.key_sets import EC_KEY, key_set
from tests.support.stored_keys import store_keys

Serving = Callable[..., Provider]


def metadata_of(url: str) -> dict[str, str]:
    names = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    return {"issuer": url, **{name: f"{url}/{name}" for name in names}}


def answer_requests(connection: Connection, *, closing: bool = False, dated: bool = True) -> None:
    """Answer the requests of a connection test, ``dated`` or not; ``closing`` closes the connection after each."""
    for request in connection.requests():
        headers = {"Date": formatdate(usegmt=True)} if dated else {}
        if request.target.endswith("openid-configuration"):
            body, status = json.dumps(metadata_of(connection.server.url)), "200 OK"
        elif request.target == "/jwks_uri":
            body, status = key_set(EC_KEY), "200 OK"
        elif request.target.startswith("/authorization_endpoint?"):
            body, status = "", "302 Found"
            sent = dict(parse_qsl(urlsplit(request.target).query))
            query = urlencode({"error": "login_required", "state": sent["state"]})
            headers["Location"] = f"{sent['redirect_uri']}?{query}"
        else:
            body, status = '{"error": "invalid_grant"}', "400 Bad Request"
        if closing:
            headers["Connection"] = "close"
        connection.send(reply(body, status, **headers))
        if closing:
            return


@contextlib.contextmanager
def tls_providers(folder: Path) -> Iterator[Serving]:
    """Yield a function that declares and serves a provider; ``certificate`` as in ``server_context``."""
    running: list[RawServer] = []

    def serve(*, closing: bool = False, dated: bool = True, **certificate: Any) -> Provider:
        server = RawServer(
            partial(answer_requests, closing=closing, dated=dated), server_context(folder, **certificate)
        )
        running.append(server)
        provider = Provider(slug="psc", environment="custom", client_id="c", client_secret="s")
        provider.metadata = metadata_of(server.url)
        provider.id_token_signed_response_alg = "ES256"
        provider.save()
        store_keys(provider, {"keys": [EC_KEY]})
        provider.exported_attributes.create(claim="sub", user_field="username", when="creation")
        return provider

    yield serve
    for server in running:
        server.stop()
