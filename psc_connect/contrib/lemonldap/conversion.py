"""Conversion of a LemonLDAP::NG configuration (JSON, 2.16 and later) to provider declarations.

Every option that is set is either converted or noted with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeGuard

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from psc_connect.administrator_messages import load_json
from psc_connect.claims.budget import current_budget
from psc_connect.claims.paths import path_of_name
from psc_connect.configuration.file_format import explain_content
from psc_connect.configuration.problems import ConfigurationError, Problem
from psc_connect.contrib.lemonldap.options import CONVERTERS, EQUIVALENT_VALUES, NOT_CONVERTED
from psc_connect.environments import environment_of_issuer
from psc_connect.fields import StoredSecret
from psc_connect.models import Environment, ExportedAttribute
from psc_connect.models.user_fields import assignable_fields
from psc_connect.providers.validation import PUBLISHED

OPTIONS = "oidcOPMetaDataOptions"
# Variables exported by all providers.
COMMON = "exportedVars"
# Session keys of LemonLDAP::NG, named as in LDAP, and the equivalent fields of Django's user.
USER_FIELDS = {"givenName": "first_name", "sn": "last_name", "mail": "email"}
LOGIN_NAME = "uid"
# Of converting a provider, and one of its options or exported variables.
_PROVIDER_STEPS = 400
_OPTION_STEPS = 20


@dataclass(frozen=True, slots=True)
class Note:
    """An option of the old configuration that is not converted unchanged, and why."""

    name: str
    text: str


def is_lemonldap(configuration: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(configuration, dict) and any(name.startswith("oidcOPMetaData") for name in configuration)


@sensitive_variables()
def provider_settings(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that ``convert`` reads. The rest may contain secrets of other systems."""
    return {name: part for name, part in configuration.items() if name.startswith("oidcOPMetaData") or name == COMMON}


@sensitive_variables()
def convert(configuration: object, *, only: str | None = None) -> list[ConvertedProvider]:
    """Return the OpenID providers of a configuration, or only the one named ``only``.

    Raises ConfigurationError, and TooSlow in a request.
    """
    if not is_lemonldap(configuration):
        text = explain_content(configuration) or _(
            "This is not a configuration of LemonLDAP::NG with an OpenID provider."
        )
        raise ConfigurationError(Problem("", text))
    parts = [configuration.get(name) for name in ("oidcOPMetaDataJSON", OPTIONS)]
    names = dict.fromkeys(name for part in parts if isinstance(part, dict) for name in part)
    if only is not None and only not in names:
        raise ConfigurationError(
            Problem("", _("This configuration has no OpenID provider “%(name)s”.") % {"name": only})
        )
    return [ConvertedProvider(configuration, str(name)) for name in names if only in (None, name)]


class ConvertedProvider:
    """A node ``oidcOPMetaDataNodes`` of the Manager: its declaration for ``make_plans``, its secret, the notes."""

    def __init__(self, configuration: dict[str, Any], name: str) -> None:
        current_budget().spend(_PROVIDER_STEPS)
        self.name = name
        self.configuration = configuration
        self.declaration: dict[str, Any] = {"slug": slugify(name)[:50] or "lemonldap", "enabled": True}
        self.secret: StoredSecret | None = None
        self.notes: list[Note] = []
        self._convert_metadata()
        self._convert_jwks()
        options = self._part(OPTIONS)
        for option, value in (options if isinstance(options, dict) else {}).items():
            self._convert_option(option.removeprefix(OPTIONS), value)
        self._convert_exported_variables()

    def _part(self, name: str) -> Any:
        part = self.configuration.get(name)
        return part.get(self.name) if isinstance(part, dict) else None

    def note(self, name: str, text: str) -> None:
        self.notes.append(Note(name, text))

    def _json_part(self, name: str) -> Any:
        given = self._part(name)
        if not isinstance(given, str):
            return given
        try:
            return load_json(given)
        except ValidationError as exc:
            raise ConfigurationError(Problem(f"{name}.{self.name}", " ".join(exc.messages))) from None

    def _convert_metadata(self) -> None:
        metadata = self._json_part("oidcOPMetaDataJSON")
        issuer = metadata.get("issuer") if isinstance(metadata, dict) else None
        published = environment_of_issuer(str(issuer))
        self.declaration["environment"] = PUBLISHED.get(published, Environment.CUSTOM).value
        if published == "sandbox-2020":
            text = _("The hosts of this sandbox were closed in 2022: the metadata of the current sandbox replaces it.")
            self.note("oidcOPMetaDataJSON", text)
            return
        if isinstance(metadata, dict) and "endsession_endpoint" in metadata:
            text = _("“endsession_endpoint” is renamed to “end_session_endpoint”, its name in the standard.")
            self.note("oidcOPMetaDataJSON", text)
            metadata["end_session_endpoint"] = metadata.pop("endsession_endpoint")
        if metadata:
            self.declaration["metadata"] = metadata

    def _convert_jwks(self) -> None:
        jwks = self._json_part("oidcOPMetaDataJWKS")
        if jwks and "metadata" not in self.declaration:
            self.note("oidcOPMetaDataJWKS", _("Keys of hosts that were closed: the current ones are imported."))
        elif jwks:
            self.declaration["jwks"] = jwks

    def _convert_option(self, name: str, value: Any) -> None:
        current_budget().spend(_OPTION_STEPS)
        if value in (None, "", {}):
            return
        full = OPTIONS + name
        if name in CONVERTERS:
            CONVERTERS[name](self, full, value)
        elif name not in NOT_CONVERTED:
            self.note(full, _("This package does not know this option."))
        elif str(EQUIVALENT_VALUES.get(name)) != str(value):
            self.note(full, _(NOT_CONVERTED[name]))

    def _convert_exported_variables(self) -> None:
        own = self._part("oidcOPMetaDataExportedVars")
        common = self.configuration.get(COMMON)
        given = {**(common if isinstance(common, dict) else {}), **(own if isinstance(own, dict) else {})}
        fields = {field.name for field in assignable_fields()}
        username = get_user_model().USERNAME_FIELD
        for key, claim in given.items():
            current_budget().spend(_OPTION_STEPS)
            target = username if key == LOGIN_NAME else USER_FIELDS.get(key, key)
            if target in fields:
                self.add_exported_attribute(key, target, str(claim))
            else:
                text = _("Users of this site have no field for it; its value is the claim “%(claim)s”.")
                self.note(f"oidcOPMetaDataExportedVars.{key}", text % {"claim": str(claim)[:100]})
        rows = self.declaration.setdefault("exported_attributes", [])
        if username in fields and not any(row["user_field"] == username for row in rows):
            self.set_username_claim("SubjectNameID")
            self.note(
                "oidcOPMetaDataExportedVars", _("The username of new users is SubjectNameID, the national identifier.")
            )

    def set_username_claim(self, claim: str) -> None:
        self.add_exported_attribute(LOGIN_NAME, get_user_model().USERNAME_FIELD, claim)

    def add_exported_attribute(self, key: str, target: str, claim: str) -> None:
        rows = self.declaration.setdefault("exported_attributes", [])
        for row in rows:
            if row["user_field"] == target:
                if row["claim"] != path_of_name(claim):
                    self.note(f"oidcOPMetaDataExportedVars.{key}", _("Another row already fills the same field."))
                return
        when = ExportedAttribute.When.CREATION if key == LOGIN_NAME else ExportedAttribute.When.LOGIN
        rows.append({"claim": path_of_name(claim), "user_field": target, "when": when.value, "required": False})
