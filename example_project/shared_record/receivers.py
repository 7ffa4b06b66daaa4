"""Receiver of the signal that is sent after a login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

CLAIMS = "shared_record_claims"


def keep_claims(*, request: HttpRequest, claims: Mapping[str, Any], **_kwargs: Any) -> None:
    """Keep all claims, to show them on the page ``/me/``. A real site only keeps what it needs (GDPR 5.1 c)."""
    request.session[CLAIMS] = dict(claims)
