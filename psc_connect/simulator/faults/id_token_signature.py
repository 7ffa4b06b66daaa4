"""Faults of the signature or of the header of an ID token with valid claims (RFC 7515, RFC 8725)."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from psc_connect.simulator.faults.mechanism import Stage, fault, replace_members
from psc_connect.simulator.signing_keys import SigningKey, base64url, unpublished_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psc_connect.simulator.tokens import JWTDraft


@fault(Stage.ID_TOKEN)
def alg_none(draft: JWTDraft, *, spelling: str = "none") -> None:
    """The token is not signed (RFC 8725 2.1)."""
    draft.header["alg"] = spelling
    draft.sign = lambda _: b""


@fault(Stage.ID_TOKEN)
def hs256_with_client_secret(draft: JWTDraft) -> None:
    """The token is signed with the client secret."""
    _sign_by_hmac(draft, draft.client.client_secret.encode())


@fault(Stage.ID_TOKEN)
def hs256_with_public_key(draft: JWTDraft) -> None:
    """The published key is used as a shared secret (RFC 8725 2.1)."""
    _sign_by_hmac(draft, draft.key.public_pem)


@fault(Stage.ID_TOKEN)
def unknown_kid(draft: JWTDraft, *, kid: str = "an-unpublished-key") -> None:
    """The header names a key that is not in the key set."""
    draft.header["kid"] = kid


@fault(Stage.ID_TOKEN)
def missing_kid(draft: JWTDraft) -> None:
    """The header names no key."""
    del draft.header["kid"]


@fault(Stage.ID_TOKEN)
def bad_signature(draft: JWTDraft) -> None:
    """The token is signed with an unpublished key, under the kid of the published one."""
    draft.key = unpublished_key(draft.key.algorithm)


@fault(Stage.ID_TOKEN)
def flipped_signature_bit(draft: JWTDraft) -> None:
    """One bit of the signature is changed."""
    sign = draft.sign or draft.key.sign

    def sign_wrongly(data: bytes) -> bytes:
        signature = sign(data)
        return bytes([signature[0] ^ 1]) + signature[1:]

    draft.sign = sign_wrongly


@fault(Stage.ID_TOKEN)
def removed_signature(draft: JWTDraft) -> None:
    """The signature is empty although the header names an algorithm."""
    draft.sign = lambda _: b""


@fault(Stage.ID_TOKEN)
def tampered_payload(draft: JWTDraft, *, claim: str = "sub", value: Any = "somebody-else") -> None:
    """One claim is changed after the token was signed."""
    signed = draft.serialize()
    draft.claims[claim] = value
    draft.rewrite = lambda raw: ".".join((raw.split(".")[0], raw.split(".")[1], signed.split(".")[2]))


@fault(Stage.ID_TOKEN)
def other_algorithm(draft: JWTDraft, *, algorithm: str = "PS256", announced: str | None = None) -> None:
    """The token is signed with the published key and another algorithm; `announced` is the one in the header."""
    draft.key = SigningKey(draft.key.private, algorithm)
    draft.header["alg"] = announced or algorithm


@fault(Stage.ID_TOKEN)
def id_token_header(draft: JWTDraft, *, header: Mapping[str, Any], drop: Sequence[str] = ()) -> None:
    """Header members are replaced or left out, for example `crit`, `b64` or `typ`."""
    replace_members(draft.header, header, drop)


@fault(Stage.ID_TOKEN)
def embedded_key(draft: JWTDraft) -> None:
    """The header contains the key that verifies the token (RFC 8725 3.10)."""
    draft.key = unpublished_key(draft.key.algorithm)
    draft.header["jwk"] = draft.key.public
    draft.header["kid"] = draft.key.kid


@fault(Stage.ID_TOKEN)
def encrypted_id_token(draft: JWTDraft) -> None:
    """The token has five parts: it is a JWE instead of a JWS."""
    draft.rewrite = lambda raw: ".".join((*raw.split("."), base64url(b"ciphertext"), base64url(b"tag")))


@fault(Stage.ID_TOKEN)
def giant_id_token(draft: JWTDraft, *, size: int = 5_000_000) -> None:
    """The token has a valid signature and is very large."""
    draft.claims["padding"] = "x" * size


def _sign_by_hmac(draft: JWTDraft, secret: bytes) -> None:
    draft.header["alg"] = "HS256"
    draft.sign = lambda data: hmac.new(secret, data, hashlib.sha256).digest()
