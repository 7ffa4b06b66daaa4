"""ID tokens with the right claims and a wrong signature or header (RFC 7515, RFC 8725)."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from psc_connect.simulator.faults.registry import Stage, fault
from psc_connect.simulator.signing_keys import SigningKey, base64url, unpublished_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from psc_connect.simulator.tokens import Draft


@fault(Stage.ID_TOKEN)
def alg_none(draft: Draft, *, spelling: str = "none") -> None:
    """It is not signed at all (RFC 8725 2.1)."""
    draft.header["alg"] = spelling
    draft.sign = lambda _: b""


@fault(Stage.ID_TOKEN)
def hs256_with_client_secret(draft: Draft) -> None:
    """It is signed with the secret that every service of this client holds."""
    _sign_by_hmac(draft, draft.client.client_secret.encode())


@fault(Stage.ID_TOKEN)
def hs256_with_public_key(draft: Draft) -> None:
    """The published key is used as if it were a shared secret (RFC 8725 2.1)."""
    _sign_by_hmac(draft, draft.key.public_pem)


@fault(Stage.ID_TOKEN)
def unknown_kid(draft: Draft, *, kid: str = "a-key-that-nobody-published") -> None:
    """Its header names a key that is not in the key set."""
    draft.header["kid"] = kid


@fault(Stage.ID_TOKEN)
def missing_kid(draft: Draft) -> None:
    """Its header names no key."""
    del draft.header["kid"]


@fault(Stage.ID_TOKEN)
def bad_signature(draft: Draft) -> None:
    """It is signed by a key that is not published, under the name of the one that is."""
    draft.key = unpublished_key(draft.key.algorithm)


@fault(Stage.ID_TOKEN)
def flipped_signature_bit(draft: Draft) -> None:
    """One bit of the signature changed on the way."""
    sign = _signer(draft)

    def flipped(data: bytes) -> bytes:
        signature = sign(data)
        return bytes([signature[0] ^ 1]) + signature[1:]

    draft.sign = flipped


@fault(Stage.ID_TOKEN)
def removed_signature(draft: Draft) -> None:
    """The signature is cut off, the algorithm still promised."""
    draft.sign = lambda _: b""


@fault(Stage.ID_TOKEN)
def tampered_payload(draft: Draft, *, claim: str = "sub", value: Any = "somebody-else") -> None:
    """One claim was changed after the token was signed."""
    signed = draft.compact()
    draft.claims[claim] = value
    draft.rewrite = lambda raw: ".".join((raw.split(".")[0], raw.split(".")[1], signed.split(".")[2]))


@fault(Stage.ID_TOKEN)
def other_algorithm(draft: Draft, *, algorithm: str = "PS256", announced: str | None = None) -> None:
    """It is signed by the published key with another algorithm, `announced` in its header or not."""
    draft.key = SigningKey(draft.key.private, algorithm)
    draft.header["alg"] = announced or algorithm


@fault(Stage.ID_TOKEN)
def id_token_header(draft: Draft, *, header: Mapping[str, Any], drop: Sequence[str] = ()) -> None:
    """Any header members, signed: crit, b64, jku, x5u, another typ."""
    draft.header.update(header)
    for name in drop:
        del draft.header[name]


@fault(Stage.ID_TOKEN)
def embedded_key(draft: Draft) -> None:
    """It brings the key that verifies it along (RFC 8725 3.10)."""
    draft.key = unpublished_key(draft.key.algorithm)
    draft.header["jwk"] = draft.key.public
    draft.header["kid"] = draft.key.kid


@fault(Stage.ID_TOKEN)
def encrypted_id_token(draft: Draft) -> None:
    """Five parts: a JWE where a JWS was agreed."""
    draft.rewrite = lambda raw: ".".join((*raw.split("."), base64url(b"ciphertext"), base64url(b"tag")))


@fault(Stage.ID_TOKEN)
def giant_id_token(draft: Draft, *, size: int = 5_000_000) -> None:
    """Rightly signed, and bigger than any reader should decode."""
    draft.claims["padding"] = "x" * size


def _signer(draft: Draft) -> Callable[[bytes], bytes]:
    return draft.sign or draft.key.sign


def _sign_by_hmac(draft: Draft, secret: bytes) -> None:
    draft.header["alg"] = "HS256"
    draft.sign = lambda data: hmac.new(secret, data, hashlib.sha256).digest()
