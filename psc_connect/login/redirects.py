"""The page to come back to: checked when a login begins and again when it is used."""

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
    """Return the path of this site that ``url`` names, or "" where it names none that may be returned to.

    A path too long for the cookie of a login loses its query; a page of ours is dropped, since it would begin again.
    """
    if not url or not url.startswith("/") or not url.isprintable():
        return ""
    # Before Django looks at it, who finds nothing good in 2048 characters and more.
    if len(url.encode()) > MAX_BYTES:
        url = re.split(r"[?#]", url, maxsplit=1)[0]
    # No host is allowed at all: a path stays on the host on which it is followed.
    if len(url.encode()) > MAX_BYTES or not url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        return ""
    return "" if _is_ours(url) else url


def landing_page(url: str | None) -> str:
    """Return ``url`` if it is safe, else the page that the site shows after a login."""
    return safe_next(url) or resolve_url(settings.LOGIN_REDIRECT_URL)


def _is_ours(url: str) -> bool:
    # As a browser reads it: without dots.
    path = normpath(unquote(urlsplit(url).path)) + "/"
    # Paths carry the script name of the site (FORCE_SCRIPT_NAME, or a mount point of the server); patterns do not.
    path = "/" + path.removeprefix(get_script_prefix()).lstrip("/")
    try:
        return "psc_connect" in resolve(path).namespaces
    except Resolver404:
        return False
