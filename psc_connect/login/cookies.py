"""The cookies of this package: their attributes, and their values from the raw header, where names are exact."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase


def own_name(name: str, *, secure: bool) -> str:
    """Return the name of a cookie of this package; ``__Host-`` restricts it to this host (RFC 6265bis 4.1.3.2)."""
    return f"{'__Host-' if secure else ''}{name}"


def set_own_cookie(response: HttpResponse, name: str, value: str, *, max_age: int, secure: bool) -> None:
    # Lax, whatever the site's own cookies are: the provider's redirect must bring it back.
    response.set_cookie(name, value, max_age=max_age, secure=secure, httponly=True, samesite="Lax", path="/")


def delete_own_cookie(response: HttpResponseBase, name: str) -> None:
    # Browsers delete a cookie only if the attributes match. delete_cookie() sets Secure for `__Host-` names.
    response.delete_cookie(name, path="/", samesite="Lax")
    response.cookies[name]["httponly"] = True


def forget_own_cookie(request: HttpRequest, response: HttpResponseBase, name: str) -> None:
    """Delete the cookie if the browser has sent it."""
    # Under both names: this also works where the site does not say its address.
    for own in {own_name(name, secure=secure) for secure in (True, False)} & exact_cookies(request).keys():
        delete_own_cookie(response, own)


def exact_cookie(request: HttpRequest, name: str) -> str:
    """Return the value of the cookie that has exactly this name, or "" if there is none or more than one."""
    return exact_cookies(request).get(name, "")


def exact_cookies(request: HttpRequest) -> dict[str, str]:
    """Return the cookies of the request, without those that have a name in common.

    ``request.COOKIES`` removes every Unicode blank around a name. Browsers do not: they let a page of a sub-domain set
    a cookie named U+2000 and ``__Host-…`` for the whole domain (RFC 6265bis 4.1.3.2), which Django takes for ours.
    """
    # As servers pass it: bytes, decoded as Latin-1. The separator is "; " (RFC 6265 4.2.1).
    chunks = [chunk.removeprefix(" ") for chunk in request.META.get("HTTP_COOKIE", "").split(";")]
    pairs = [(name, value) for name, separator, value in (chunk.partition("=") for chunk in chunks) if separator]
    counted = Counter(name for name, _value in pairs)
    # Django writes values that contain "=" in quotation marks.
    return {name: value.strip('"') for name, value in pairs if counted[name] == 1}
