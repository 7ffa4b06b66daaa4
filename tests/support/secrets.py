"""The client secret of a declared provider, replaced in the database."""

from __future__ import annotations

from psc_connect.models import Provider


def save_secret(secret: str, slug: str = "psc") -> None:
    provider = Provider.objects.get(slug=slug)
    provider.client_secret = secret
    provider.save(update_fields=["client_secret"])
