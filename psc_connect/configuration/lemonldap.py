"""A configuration of LemonLDAP::NG (its JSON, 2.16 and later) as declarations of this package, and what cannot follow.

Every option that is set is either taken over or noted with the reason: nothing is dropped in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeGuard

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from psc_connect.claims.paths import path_of_name
from psc_connect.configuration.lemonldap_options import NOT_TAKEN, TAKEN, UNREMARKABLE
from psc_connect.configuration.plan import ConfigurationError, Problem, what_it_is
from psc_connect.environments import environment_of_issuer
from psc_connect.error_messages import load_document
from psc_connect.fields import StoredSecret
from psc_connect.models import Environment, ExportedAttribute
from psc_connect.models.user_fields import assignable_fields
from psc_connect.providers.validation import PUBLISHED

OPTIONS = "oidcOPMetaDataOptions"
# The exported variables of all providers.
COMMON = "exportedVars"
# Session keys of LemonLDAP::NG, named as in LDAP, and the fields of Django's user that mean the same.
USER_FIELDS = {"givenName": "first_name", "sn": "last_name", "mail": "email"}
LOGIN_NAME = "uid"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing of the old configuration that is not in the new one, and why."""

    name: str
    text: str


@dataclass(slots=True)
class Converted:
    """One provider: what ``plan_all`` takes, its secret apart, and the notes."""

    declaration: dict[str, Any]
    secret: StoredSecret | None = field(default=None, repr=False)
    notes: list[Note] = field(default_factory=list)


def is_lemonldap(document: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(document, dict) and any(name.startswith("oidcOPMetaData") for name in document)


@sensitive_variables()
def concerning_providers(document: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that ``convert`` reads: the rest of it holds other systems' secrets."""
    return {name: part for name, part in document.items() if name.startswith("oidcOPMetaData") or name == COMMON}


@sensitive_variables()
def convert(document: object, *, only: str | None = None) -> list[Converted]:
    """Return every OpenID provider of a configuration, or the one of this name. Raises ConfigurationError."""
    if not is_lemonldap(document):
        text = what_it_is(document) or _("This is no configuration of LemonLDAP::NG with an OpenID provider.")
        raise ConfigurationError(Problem("", text))
    parts = [document.get(name) for name in ("oidcOPMetaDataJSON", OPTIONS)]
    names = dict.fromkeys(name for part in parts if isinstance(part, dict) for name in part)
    if only is not None and only not in names:
        raise ConfigurationError(
            Problem("", _("This configuration has no OpenID provider “%(name)s”.") % {"name": only})
        )
    return [ProviderNode(document, str(name)).converted() for name in names if only in (None, name)]


class ProviderNode:
    """One node ``oidcOPMetaDataNodes`` of the Manager, on its way to a declaration."""

    @sensitive_variables()
    def __init__(self, document: dict[str, Any], name: str) -> None:
        self.name = name
        self.document = document
        given = self._part(OPTIONS)
        self.options = (
            {key.removeprefix(OPTIONS): value for key, value in given.items()} if isinstance(given, dict) else {}
        )
        self.declaration: dict[str, Any] = {"slug": slugify(name)[:50] or "lemonldap", "enabled": True}
        self.notes: list[Note] = []

    def _part(self, name: str) -> Any:
        part = self.document.get(name)
        return part.get(self.name) if isinstance(part, dict) else None

    def note(self, name: str, text: str) -> None:
        self.notes.append(Note(name, text))

    @sensitive_variables()
    def converted(self) -> Converted:
        self._metadata()
        self._jwks()
        secret = self._secret()
        for name, value in self.options.items():
            self._option(name, value)
        self._exported_variables()
        return Converted(self.declaration, secret, self.notes)

    def _document(self, name: str) -> Any:
        given = self._part(name)
        if not isinstance(given, str):
            return given
        try:
            return load_document(given)
        except ValidationError as exc:
            raise ConfigurationError(Problem(f"{name}.{self.name}", " ".join(exc.messages))) from None

    def _metadata(self) -> None:
        metadata = self._document("oidcOPMetaDataJSON")
        issuer = metadata.get("issuer") if isinstance(metadata, dict) else None
        published = environment_of_issuer(str(issuer))
        self.declaration["environment"] = PUBLISHED.get(published, Environment.CUSTOM).value
        if published == "sandbox-2020":
            text = _("The hosts of this sandbox were closed in 2022: the present sandbox's metadata takes its place.")
            self.note("oidcOPMetaDataJSON", text)
            return
        if isinstance(metadata, dict) and "endsession_endpoint" in metadata:
            text = _("“endsession_endpoint” is renamed to “end_session_endpoint”, its name in the standard.")
            self.note("oidcOPMetaDataJSON", text)
            metadata["end_session_endpoint"] = metadata.pop("endsession_endpoint")
        if metadata:
            self.declaration["metadata"] = metadata

    def _jwks(self) -> None:
        jwks = self._document("oidcOPMetaDataJWKS")
        if jwks and "metadata" not in self.declaration:
            self.note("oidcOPMetaDataJWKS", _("Keys of hosts that were closed: those of today are imported."))
        elif jwks:
            self.declaration["jwks"] = jwks

    @sensitive_variables()
    def _secret(self) -> StoredSecret | None:
        given = self.options.pop("ClientSecret", "")
        return StoredSecret.of(given) if isinstance(given, str) and given else None

    def _option(self, name: str, value: Any) -> None:
        if value in (None, "", {}):
            return
        full = OPTIONS + name
        if name in TAKEN:
            TAKEN[name](self, full, value)
        elif name not in NOT_TAKEN:
            self.note(full, _("This package knows no such option."))
        elif str(UNREMARKABLE.get(name)) != str(value):
            self.note(full, _(NOT_TAKEN[name]))

    def _exported_variables(self) -> None:
        own = self._part("oidcOPMetaDataExportedVars")
        common = self.document.get(COMMON)
        given = {**(common if isinstance(common, dict) else {}), **(own if isinstance(own, dict) else {})}
        fields = {each.name for each in assignable_fields()}
        username = get_user_model().USERNAME_FIELD
        for key, claim in given.items():
            target = username if key == LOGIN_NAME else USER_FIELDS.get(key, key)
            if target in fields:
                self.add(key, target, str(claim))
            else:
                text = _("The user of this site has no field for it; its value is the claim “%(claim)s”.")
                self.note(f"oidcOPMetaDataExportedVars.{key}", text % {"claim": str(claim)[:100]})
        rows = self.declaration.setdefault("exported_attributes", [])
        if username in fields and not any(row["user_field"] == username for row in rows):
            self.name_users_by("SubjectNameID")
            self.note("oidcOPMetaDataExportedVars", _("New users are named by SubjectNameID, the national identifier."))

    def name_users_by(self, claim: str) -> None:
        self.add(LOGIN_NAME, get_user_model().USERNAME_FIELD, claim)

    def add(self, key: str, target: str, claim: str) -> None:
        rows = self.declaration.setdefault("exported_attributes", [])
        for row in rows:
            if row["user_field"] == target:
                if row["claim"] != path_of_name(claim):
                    self.note(f"oidcOPMetaDataExportedVars.{key}", _("Another row fills the same field already."))
                return
        when = ExportedAttribute.When.CREATION if key == LOGIN_NAME else ExportedAttribute.When.LOGIN
        rows.append({"claim": path_of_name(claim), "user_field": target, "when": when.value, "required": False})
