"""The four requests to the provider, sent to a test server with short time-outs."""

from __future__ import annotations

import time
from typing import Any

import pytest

from psc_connect.oidc.client import (
    ClientCredentials,
    Tokens,
    exchange_code,
    fetch_jwks,
    fetch_metadata,
    fetch_userinfo,
)
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import OIDCError
from psc_connect.oidc.http import Answer, HTTPPolicy
from psc_connect.oidc.metadata import ProviderMetadata

CODE, VERIFIER, SECRET, ACCESS_TOKEN = "the-code-9f2", "the-verifier-7c1", "the-secret-e55", "the-access-token-a31"
TOKENS = f'{{"access_token": "{ACCESS_TOKEN}", "id_token": "a.b.c", "token_type": "Bearer"}}'
QUICK = HTTPPolicy(allow_loopback_http=True, connect_timeout=1, read_timeout=1)


def metadata(base: str) -> ProviderMetadata:
    return ProviderMetadata(base, f"{base}/auth", f"{base}/token", f"{base}/userinfo", f"{base}/certs")


def token(
    base: str,
    *,
    secret: str = SECRET,
    client_id: str = "hospital",
    method: str = "client_secret_post",
    code: str = CODE,
    http: HTTPPolicy = QUICK,
    seconds: float = 5,
    deadline: Deadline | None = None,
) -> Tokens:
    return exchange_code(
        metadata(base),
        ClientCredentials(client_id, secret, method),
        code=code,
        redirect_uri="https://hospital.test/psc/callback/",
        code_verifier=VERIFIER,
        http=http,
        deadline=deadline or Deadline(seconds),
    )


def userinfo(base: str, *, http: HTTPPolicy = QUICK, seconds: float = 5, deadline: Deadline | None = None) -> Answer:
    return fetch_userinfo(metadata(base), access_token=ACCESS_TOKEN, http=http, deadline=deadline or Deadline(seconds))


def jwks(base: str, *, http: HTTPPolicy = QUICK, seconds: float = 5) -> dict[str, Any]:
    return fetch_jwks(f"{base}/certs", http=http, deadline=Deadline(seconds))


def discovery(base: str, *, http: HTTPPolicy = QUICK, seconds: float = 5) -> dict[str, Any]:
    return fetch_metadata(f"{base}/.well-known/openid-configuration", http=http, deadline=Deadline(seconds))


CALLS = pytest.mark.parametrize("call", [token, userinfo, jwks, discovery], ids=lambda call: call.__name__)


def code_of(call: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(OIDCError) as raised:
        call(*args, **kwargs)
    return raised.value.code


class Stopwatch:
    def __enter__(self) -> Stopwatch:
        self._start = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._start
