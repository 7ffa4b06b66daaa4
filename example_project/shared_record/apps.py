from __future__ import annotations

from django.apps import AppConfig
from typing_extensions import override


class SharedRecordConfig(AppConfig):
    name = "shared_record"
    verbose_name = "Dossier partagé"

    @override
    def ready(self) -> None:
        from psc_connect.signals import signed_in  # noqa: PLC0415 - imports models
        from shared_record.receivers import keep_claims  # noqa: PLC0415

        signed_in.connect(keep_claims, dispatch_uid="shared_record.keep_claims")
