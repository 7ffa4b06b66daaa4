from __future__ import annotations

from django.apps import AppConfig
from typing_extensions import override


class PscConnectConfig(AppConfig):
    name = "psc_connect"
    verbose_name = "Pro Santé Connect"
    default_auto_field = "django.db.models.BigAutoField"

    @override
    def ready(self) -> None:
        from psc_connect import checks  # noqa: F401, PLC0415 - registers the checks, once models are loaded
