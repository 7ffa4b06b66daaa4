"""Encrypted texts that only the browser they were made for can bring back, within ten minutes.

A secret in a cookie names the browser. No database row is needed, and a text of any length fits into a form.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psc_connect.encryption import InvalidToken, cipher_for
from psc_connect.exceptions import LoginRefused
from psc_connect.login import site_urls
from psc_connect.login.cookies import exact_cookie, forget_own_cookie, own_name, set_own_cookie

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase
    from typing_extensions import Self

SECONDS = 600
# Django hides the values of cookies with "secret" in their name in its error reports.
NAME = "psc_logout_secret"
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class BrowserSecret:
    """The secret of one browser. ``secure``: whether the browser uses https."""

    value: str = field(repr=False)
    secure: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Return the secret that the browser sent, or a new one."""
        secure = _is_secure(request)
        stored = exact_cookie(request, own_name(NAME, secure=secure))
        return cls(stored if SECRET.fullmatch(stored) else secrets.token_urlsafe(32), secure)

    def store(self, response: HttpResponse) -> None:
        name = own_name(NAME, secure=self.secure)
        set_own_cookie(response, name, self.value, max_age=SECONDS, secure=self.secure)

    @staticmethod
    def forget(request: HttpRequest, response: HttpResponseBase) -> None:
        """Delete the secret: the browser brings back nothing that was made for it."""
        forget_own_cookie(request, response, NAME)

    def seal(self, purpose: str, *values: str) -> str:
        """Return an encrypted text. ``purpose``: a name of ``psc_connect.encryption``."""
        text = json.dumps([self._digest, *values], ensure_ascii=False, separators=(",", ":"))
        return cipher_for(purpose).encrypt(text.encode()).decode()

    def unseal(self, purpose: str, text: str) -> list[Any]:
        """Return the values of a text that was sealed for this purpose and browser, or []."""
        try:
            digest, *values = json.loads(cipher_for(purpose).decrypt(text.encode(), ttl=SECONDS))
        # ValueError: also a text that cannot be encoded. A request chooses its character set.
        except (InvalidToken, ValueError):
            return []
        return values if secrets.compare_digest(digest, self._digest) else []

    @property
    def _digest(self) -> str:
        return hashlib.sha256(self.value.encode()).hexdigest()


def _is_secure(request: HttpRequest) -> bool:
    try:
        return site_urls.is_secure(request)
    # The site does not say its address: a logout of this site must work all the same.
    except LoginRefused:
        return request.is_secure()
