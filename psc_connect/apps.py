from __future__ import annotations

from django.apps import AppConfig
from typing_extensions import override


class PscConnectConfig(AppConfig):
    name = "psc_connect"
    verbose_name = "Pro Santé Connect"
    default_auto_field = "django.db.models.BigAutoField"

    @override
    def ready(self) -> None:
        # Models must be loaded before these imports.
        from django.contrib.auth.signals import user_logged_in, user_logged_out  # noqa: PLC0415
        from django.db.models.signals import pre_migrate  # noqa: PLC0415

        from psc_connect import checks, conf  # noqa: F401, PLC0415 - registers the checks
        from psc_connect.checks.old_database import refuse_old_database  # noqa: PLC0415
        from psc_connect.current_professional import reset_current_professional  # noqa: PLC0415
        from psc_connect.login.session import record_authentication_time  # noqa: PLC0415
        from psc_connect.professional import nomenclatures  # noqa: PLC0415

        nomenclatures.replacement_folder = conf.nomenclature_dir
        pre_migrate.connect(refuse_old_database, sender=self, dispatch_uid="psc_connect.refuse_old_database")
        user_logged_in.connect(record_authentication_time, dispatch_uid="psc_connect.record_authentication_time")
        for signal in (user_logged_in, user_logged_out):
            signal.connect(reset_current_professional, dispatch_uid="psc_connect.reset_current_professional")
