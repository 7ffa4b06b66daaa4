"""Rendering of the template tags, and providers for them."""

from __future__ import annotations

import html
import re
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.template import RequestContext, Template
from django.test import RequestFactory

from psc_connect.models import Provider


def declare(slug: str = "psc", **changes: Any) -> Provider:
    return Provider.objects.create(**{"slug": slug, "client_id": "the-client", **changes})


def render_template(source: str, path: str = "/", *, method: str = "get", user: Any = None, session: Any = None) -> str:
    """Render template source with the tags loaded."""
    request = getattr(RequestFactory(), method)(path)
    request.user = user or AnonymousUser()
    request.session = session if session is not None else {}
    return Template("{% load psc_connect %}" + source).render(RequestContext(request, {})).strip()


def button_links(page: str) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'class="psc-button" href="([^"]*)"', page)]
