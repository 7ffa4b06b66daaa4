"""The WSGI application for gunicorn. Run as a module, it creates the database with a provider from standard input."""

from __future__ import annotations

import json
import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.servers.settings")
application = get_wsgi_application()


def create_database() -> None:
    from django.core.management import call_command
    from django.utils import timezone

    from psc_connect.models import ExportedAttribute, Provider
    from tests.support.stored_keys import change_provider

    call_command("migrate", verbosity=0)
    values = json.load(sys.stdin)
    jwks = values.pop("jwks")
    provider = Provider.objects.create(**values)
    change_provider(provider, jwks=jwks, jwks_updated_at=timezone.now())
    ExportedAttribute.objects.create(provider=provider, claim="SubjectNameID", user_field="username", when="creation")


if __name__ == "__main__":
    create_database()
