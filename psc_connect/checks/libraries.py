"""System check of the installed libraries: no version with a known vulnerability."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from django.core import checks
from django.utils.translation import gettext as _
from django.utils.version import get_version_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# The same as in pyproject.toml, because pip can be made to install older versions.
MINIMUM_VERSIONS: Final = {
    "PyJWT": "2.15.1",
    "cryptography": "50",
    "josepy": "2.1",
    "mozilla-django-oidc": "5.0.2",
    "requests": "2.33",
    "urllib3": "2.8",
}


@checks.register(checks.Tags.security)
def check_libraries(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    for name, minimum in MINIMUM_VERSIONS.items():
        version = metadata.version(name)
        if get_version_tuple(version) < get_version_tuple(minimum):
            yield checks.Error(
                _("%(library)s %(version)s has known vulnerabilities: %(minimum)s or newer is needed.")
                % {"library": name, "version": version, "minimum": minimum},
                hint=_("Install it with: %(command)s")
                % {"command": f'python -m pip install --upgrade "{name}>={minimum}"'},
                id="psc_connect.E016",
            )
