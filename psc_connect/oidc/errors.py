"""All that this room can raise.

OIDCError                       a stable `code` of CODES and a `detail`: fixed text, never input, never a secret
├── MetadataError               the provider's metadata cannot be used; `problems` names every field
├── JWKSError                   the key set cannot be parsed
├── UnknownKey                  no usable key fits: fetch the key set again, once
├── AuthorizationResponseError  the answer in the browser's address is not one
├── ProviderUnavailable         network, TLS, time, size: the provider gave no answer to judge
├── TokenResponseError          the token endpoint refused, or answered wrongly
├── IDTokenError                OpenID Connect Core 3.1.3.7 says no
└── UserinfoError               OpenID Connect Core 5.3 says no
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from psc_connect.oidc.error_codes import CODES, sentence


class OIDCError(Exception):
    """What the caller catches. `code` is a key of CODES, else ValueError; `detail` is fixed English text or empty."""

    stage: ClassVar[str] = ""

    def __init__(self, code: str, detail: str = "") -> None:
        if code not in CODES:
            raise ValueError(f"{code} is no code of psc_connect.oidc")
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    @override
    def __str__(self) -> str:
        return f"{self.code}: {self.detail or sentence(self.code)}"


@dataclass(frozen=True, slots=True)
class MetadataProblem:
    """One thing wrong with one field of the metadata; `field` is empty where the whole document is meant."""

    field: str
    code: str


class MetadataError(OIDCError):
    """The metadata cannot be used; its own code is that of the first problem."""

    def __init__(self, problems: tuple[MetadataProblem, ...]) -> None:
        super().__init__(problems[0].code)
        self.problems = problems


class JWKSError(OIDCError):
    """The document is no key set (RFC 7517 5)."""


class UnknownKey(OIDCError):
    """No usable key fits the token: the caller fetches the key set once more and verifies the same token again."""


class AuthorizationResponseError(OIDCError):
    """The callback's parameters are no answer to a request of ours (RFC 6749 4.1.2, RFC 9207)."""


class ProviderUnavailable(OIDCError):
    """The provider gave no answer that could be judged: network, TLS, time, size, redirection, outage."""


class TokenResponseError(OIDCError):
    """The token endpoint refused (RFC 6749 5.2) or its answer is not one (OIDC Core 3.1.3.3)."""


class IDTokenError(OIDCError):
    """The ID token is not valid (OIDC Core 3.1.3.7); `rule` names the one that is broken, empty: the signature's."""

    stage = "id_token"

    def __init__(self, code: str, detail: str = "", *, rule: str = "") -> None:
        super().__init__(code, detail)
        self.rule = rule


class UserinfoError(OIDCError):
    """The userinfo answer is not valid (OIDC Core 5.3)."""

    stage = "userinfo"
