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

    call_command("migrate", verbosity=0)
    provider = Provider.objects.create(**json.load(sys.stdin), jwks_updated_at=timezone.now())
    ExportedAttribute.objects.create(provider=provider, claim="SubjectNameID", user_field="username", when="creation")


if __name__ == "__main__":
    create_database()
