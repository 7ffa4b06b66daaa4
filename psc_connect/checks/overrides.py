"""The system check for overrides of methods that psc_connect never calls."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from psc_connect.uncalled_methods import METHODS, ignored_overrides

if TYPE_CHECKING:
    from collections.abc import Iterator


@checks.register(checks.Tags.security)
def check_overrides(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    from psc_connect.backends import ProSanteConnectBackend  # noqa: PLC0415 - needs the loaded models

    for path in settings.AUTHENTICATION_BACKENDS:
        backend = import_string(path)
        if inspect.isclass(backend) and issubclass(backend, ProSanteConnectBackend):
            for name, method in ignored_overrides(backend, ours=ProSanteConnectBackend):
                yield checks.Error(
                    _("psc_connect never calls %(method)s of %(class)s: the override has no effect.")
                    % {"method": method, "class": name},
                    hint=_(METHODS[method]),
                    id="psc_connect.E026",
                )
