"""Validation of the page to show after a login: done when the login starts, and again before the redirect."""

from __future__ import annotations

import re
from posixpath import normpath
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import Resolver404, get_script_prefix, resolve
from django.utils.http import url_has_allowed_host_and_scheme

MAX_BYTES = 512


def safe_next(url: str | None) -> str:
    """Return ``url`` if it is a path of this site to which a login may return, else "".

    A path too long for the login's cookie loses its query. Pages of this package are refused: they would start a login.
    """
    # Browsers read "//" and "/\\" as the start of a host, even of an empty one, which Django's check accepts.
    if not url or not url.startswith("/") or url.startswith(("//", "/\\")) or not url.isprintable():
        return ""
    # Before Django's check, which refuses URLs of more than 2048 characters.
    if len(url.encode()) > MAX_BYTES:
        url = re.split(r"[?#]", url, maxsplit=1)[0]
    # Paths only, no host: the redirect stays on the current one.
    if len(url.encode()) > MAX_BYTES or not url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        return ""
    return "" if _is_page_of_this_package(url) else url


def landing_page(url: str | None) -> str:
    """Return ``url`` if it is safe, else the site's ``LOGIN_REDIRECT_URL``."""
    return safe_next(url) or resolve_url(settings.LOGIN_REDIRECT_URL)


def _is_page_of_this_package(url: str) -> bool:
    # Without "." and "..", as browsers resolve them.
    path = normpath(unquote(urlsplit(url).path)) + "/"
    # Paths include the script name of the site (FORCE_SCRIPT_NAME, or the server's mount point); URL patterns do not.
    path = "/" + path.removeprefix(get_script_prefix()).lstrip("/")
    try:
        return "psc_connect" in resolve(path).namespaces
    except Resolver404:
        return False
