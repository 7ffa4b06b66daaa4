"""Property tests: for any input, the parsers only raise exceptions of psc_connect.oidc."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psc_connect.oidc.authorization import parse_authorization_response
from psc_connect.oidc.errors import OIDCError
from psc_connect.oidc.http import Answer
from psc_connect.oidc.jwks import parse_jwks, strip_private_members
from psc_connect.oidc.metadata import parse_metadata
from psc_connect.oidc.strict_json import StrictJSONError, loads_strict
from psc_connect.oidc.userinfo import validate_userinfo

from .test_metadata import valid_metadata
from .tokens import NOW, RULES, claims, jwk, key_set, rsa_key, sign, sign_raw, validate

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
QUICK = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def allow_only_oidc_errors(call: Callable[[], Any]) -> None:
    with suppress(OIDCError):
        call()


@QUICK
@given(st.text() | st.binary())
def test_strict_json_only_raises_its_own_error(text: str | bytes) -> None:
    with suppress(StrictJSONError):
        loads_strict(text)


@QUICK
@given(JSON, st.sampled_from(sorted(valid_metadata())))
def test_metadata_of_any_shape(value: Any, field: str) -> None:
    allow_only_oidc_errors(lambda: parse_metadata(value))
    allow_only_oidc_errors(lambda: parse_metadata(valid_metadata() | {field: value}))


@QUICK
@given(JSON, st.sampled_from(["kty", "kid", "use", "alg", "key_ops", "n", "e", "crv", "x", "y", "psc_connect_ignored"]))
def test_key_sets_of_any_shape(value: Any, member: str) -> None:
    allow_only_oidc_errors(lambda: parse_jwks(value))
    allow_only_oidc_errors(lambda: parse_jwks({"keys": [value, jwk(rsa_key()) | {member: value}]}))
    allow_only_oidc_errors(lambda: json.dumps(strip_private_members({"keys": [jwk(rsa_key()) | {member: value}]})))


@QUICK
@given(st.text())
def test_tokens_of_any_text(raw: str) -> None:
    allow_only_oidc_errors(lambda: validate(raw))
    allow_only_oidc_errors(lambda: validate(f"{raw}.{raw}.{raw}"))


@QUICK
@given(st.binary(), st.binary())
def test_tokens_of_any_signed_bytes(header: bytes, payload: bytes) -> None:
    allow_only_oidc_errors(lambda: validate(sign_raw(header, payload)))
    allow_only_oidc_errors(lambda: validate(sign(payload)))


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8"))
    | st.lists(st.integers(), max_size=2)
)


@QUICK
@given(st.sampled_from(sorted(claims())), PLAIN)
def test_id_tokens_with_any_claim(name: str, value: Any) -> None:
    allow_only_oidc_errors(lambda: validate(sign(claims(**{name: value})), accepted_acr=("eidas1",), max_age=60))


@QUICK
@given(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk"]), PLAIN)
def test_id_tokens_with_any_header(name: str, value: Any) -> None:
    allow_only_oidc_errors(lambda: validate(sign(claims(), header={name: value})))


@QUICK
@given(st.binary() | JSON.map(lambda value: json.dumps(value, default=str).encode()), st.sampled_from(["", "RS256"]))
@pytest.mark.case("UI09")
def test_userinfo_of_any_bytes(body: bytes, algorithm: str) -> None:
    token = validate(sign(claims()))
    for media_type in ("application/json", "application/jwt"):
        answer = Answer(200, media_type, body)
        allow_only_oidc_errors(
            partial(
                validate_userinfo,
                answer,
                id_token=token,
                rules=RULES,
                keys=key_set(),
                signed_algorithm=algorithm,
                now=NOW,
            )
        )


@QUICK
@given(st.dictionaries(st.sampled_from(["state", "code", "iss", "error", "x"]), st.lists(st.text(), max_size=3)))
def test_authorization_responses_of_any_parameters(parameters: dict[str, list[str]]) -> None:
    allow_only_oidc_errors(lambda: parse_authorization_response(parameters))
    allow_only_oidc_errors(lambda: parse_authorization_response({**parameters, "state": ["s" * 43]}))
