"""What this site does at a login, besides what the exported attributes do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

CLAIMS = "shared_record_claims"


def keep_claims(*, request: HttpRequest, claims: Mapping[str, Any], **_said: Any) -> None:
    """Keep everything, to show it on the page ``/me/``. A real site keeps what it needs, and only that (GDPR 5.1 c)."""
    request.session[CLAIMS] = dict(claims)
