"""Exceptions of psc_connect.oidc. Their messages never contain input or secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from typing_extensions import override

from psc_connect.oidc.error_codes import CODES, sentence

# RFC 6749 A.7 and A.8: the characters of `error` and `error_description`. The length is ours.
_DETAIL: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{1,200}")


def detail_of(value: object) -> str:
    """Return a text of the provider's answer, or "" if it is too long or contains characters that RFC 6749 forbids."""
    return value if isinstance(value, str) and _DETAIL.fullmatch(value) else ""


class OIDCError(Exception):
    """The base class. `code` is a key of CODES; any other code is a ValueError. `stage` is the codes' prefix.

    `detail`: what the provider answered, from `detail_of`, or "". It is for administrators: never logged, and not shown
    to the person who signs in. `url`: the URL that was requested, without its query, or "".
    """

    stage: ClassVar[str] = ""
    url = ""

    def __init__(self, code: str, *, detail: str = "") -> None:
        if code not in CODES:
            raise ValueError(f"{code} is not a code of psc_connect.oidc")
        super().__init__(code)
        self.code, self.detail = code, detail

    @override
    def __str__(self) -> str:
        return f"{self.code}: {sentence(self.code)}"


@dataclass(frozen=True, slots=True)
class MetadataProblem:
    """A problem of the metadata. `field` is the member's name, or "" for the metadata as a whole."""

    field: str
    code: str


class MetadataError(OIDCError):
    """The metadata is not valid. `code` is the code of the first problem."""

    def __init__(self, problems: tuple[MetadataProblem, ...]) -> None:
        super().__init__(problems[0].code)
        self.problems = problems


class JWKSError(OIDCError):
    """The value is not a key set (RFC 7517 5)."""


class UnknownKey(OIDCError):
    """No known key verifies the token. The caller fetches the key set once and verifies the token again."""


class AuthorizationResponseError(OIDCError):
    """The callback's parameters are not a valid authorization response (RFC 6749 4.1.2, RFC 9207)."""


class ProviderUnavailable(OIDCError):
    """The provider gave no usable answer: network, TLS, time, size, redirect, outage."""

    def __init__(self, code: str, *, detail: str = "", url: str = "") -> None:
        super().__init__(code, detail=detail)
        self.url = url


class TokenResponseError(OIDCError):
    """The token endpoint refused (RFC 6749 5.2), or its answer is not valid (OIDC Core 3.1.3.3)."""


class IDTokenError(OIDCError):
    """The ID token is not valid (OIDC Core 3.1.3.7). `rule` is the name of the broken rule, "" for the signature.

    `detail` is the claim that the rule compares, such as `acr`.
    """

    stage = "id_token"

    def __init__(self, code: str, *, rule: str = "", detail: str = "") -> None:
        super().__init__(code, detail=detail)
        self.rule = rule


class UserinfoError(OIDCError):
    """The userinfo is not valid (OIDC Core 5.3)."""

    stage = "userinfo"
