"""From declarations in JSON to plans: every problem is found before anything is saved."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from psc_connect.access.groups import users_have_groups
from psc_connect.configuration.plan import ConfigurationError, Plan, Problem
from psc_connect.error_messages import explain, form_errors_of
from psc_connect.fields import StoredSecret, validate_secret
from psc_connect.models import ExportedAttribute, Provider
from psc_connect.models.access import MAX_RULES
from psc_connect.oidc.errors import JWKSError, MetadataError, ProviderUnavailable
from psc_connect.oidc.jwks import parse_jwks
from psc_connect.providers import keys, validation
from psc_connect.providers.metadata import secret_recipient
from psc_connect.providers.serialization import (
    PROVIDER_FIELDS,
    ROWS,
    SECRET,
    diff,
    key_names,
    serialize_provider,
    serialize_rows,
)
from psc_connect.validators import can_be_kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psc_connect.oidc.jwks import KeySet

# What is taken up by set_keys(), or checked with the rest of the declaration.
APART = ("jwks", "metadata")
MAX_DECLARATIONS = 100  # each is checked as a whole, and against the database
MAX_ROWS = 2000  # of one kind


def plan_all(
    declarations: list[dict[str, Any]],
    secrets: Mapping[str, StoredSecret] | None = None,
    *,
    may_replace_issuer: bool = False,
) -> list[Plan]:
    """Make a plan of each declaration; ``secrets``, by slug, are those that another system's document has in clear.

    ``may_replace_issuer``: a provider that is declared already may become one of another environment or issuer. Raises
    ConfigurationError.
    """
    if len(declarations) > MAX_DECLARATIONS:
        text = _("At most %(max)s declarations are read at once.") % {"max": MAX_DECLARATIONS}
        raise ConfigurationError(Problem("providers", text))
    plans = []
    for number, declared in enumerate(declarations):
        where = f"providers[{number}]" if len(declarations) > 1 else ""
        planner = _Planner(declared, where, (secrets or {}).get(str(declared.get("slug"))))
        planner.may_replace_issuer = may_replace_issuer
        plans.append(planner.plan())
    slugs = Counter(plan.provider.slug for plan in plans)
    for plan in plans:
        if slugs[plan.provider.slug] > 1:
            plan.problems.append(Problem("slug", _("Two declarations have this identifier.")))
    return plans


class _Planner:
    """One declaration on its way to a plan."""

    may_replace_issuer = False

    def __init__(self, declared: dict[str, Any], where: str, secret: StoredSecret | None) -> None:
        self.declared, self.where, self.secret = declared, where, secret
        environment = declared.get("environment")
        default = validation.default_slug(environment if isinstance(environment, str) else "")
        slug = str(declared.get("slug") or default)
        known = Provider.objects.filter(slug=slug) if can_be_kept(slug) else Provider.objects.none()
        self.present, self.provider = known.first(), known.first() or Provider(slug=slug)
        self.problems: list[Problem] = []

    def plan(self) -> Plan:
        self._check_names(self.declared, ("slug", SECRET, *PROVIDER_FIELDS, *ROWS))
        given = [name for name in ("slug", *PROVIDER_FIELDS) if name in self.declared and name not in APART]
        typed = [name for name in given if self._is_of_its_type(Provider, name, self.declared)]
        for name in typed:
            setattr(self.provider, name, self.declared[name])
        rows = {name: self._rows(name) for name in ROWS if name in self.declared}
        if self.present is None and "exported_attributes" not in rows:
            rows["exported_attributes"] = list(validation.default_attributes())
        if self.present is None and "environment" not in self.declared:
            self._problem("environment", _("A new provider needs it: production, sandbox, simulator or custom."))
        if typed == given:
            self._clean()
        if not self.problems:
            self._take_secret()
            self._take_metadata()
            self._take_keys()
        if self.problems:
            is_named = bool(self.declared.get("slug"))
            return Plan(self.provider, self.present is None, problems=self.problems, is_named=is_named)
        waits = self._waits_for_secret()
        old = serialize_provider(self.present) if self.present else {}
        new = serialize_provider(self.provider) | {name: serialize_rows(name, each) for name, each in rows.items()}
        return Plan(
            provider=self.provider,
            is_new=self.present is None,
            diff=diff(old, new),
            rows={name: each for name, each in rows.items() if old.get(name) != new[name]},
            secret=None if self.secret is None or self._is_kept(self.secret) else self.secret,
            gives_secret=self.secret is not None,
            planned_on=(secret_recipient(self.present.metadata), self.present.client_secret.ciphertext)
            if self.present
            else None,
            wants_keys=not self.provider.jwks and bool(self.provider.metadata.get("jwks_uri")),
            waits_for_secret=waits,
        )

    def _problem(self, where: str, *texts: str) -> None:
        place = ".".join(each for each in (self.where, where) if each)
        self.problems += [Problem(place, text) for text in texts]

    def _check_names(self, given: Mapping[str, Any], known: tuple[str, ...], where: str = "") -> None:
        for name in given:
            if name not in known:
                nearest = difflib.get_close_matches(str(name), known, n=1)
                text = _("There is no such name here.")
                hint = " " + _("Do you mean %(nearest)s?") % {"nearest": nearest[0]} if nearest else ""
                self._problem(".".join(each for each in (where, str(name)) if each), text + hint)

    def _is_of_its_type(self, model: type[models.Model], name: str, given: Mapping[str, Any], where: str = "") -> bool:
        """Whether JSON has the type here that the field takes, and a text that fits, before anything looks into it.

        Django would make text of anything.
        """
        field: Any = model._meta.get_field(name)
        kind, words = _type_of(field)
        value, longest = given[name], getattr(field, "max_length", None)
        place = ".".join(each for each in (where, name) if each)
        if value is None and field.null:
            return True
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            self._problem(place, _("Expected here: %(kind)s.") % {"kind": words})
        elif isinstance(value, str) and longest and len(value) > longest:
            self._problem(place, _("Expected here: at most %(count)s characters.") % {"count": longest})
        elif not can_be_kept(value):
            self._problem(place, _("It holds a character that no database can hold."))
        else:
            return True
        return False

    def _rows(self, name: str) -> list[models.Model]:
        given = self.declared[name]
        if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
            self._problem(name, _("A list of objects is expected here."))
            return []
        if len(given) > MAX_ROWS:
            self._problem(name, _("At most %(max)s rows are read here.") % {"max": MAX_ROWS})
            return []
        tried = [self._row(name, f"{name}[{number}]", values) for number, values in enumerate(given)]
        rows = [row for row in tried if row is not None]
        fields = Counter(row.user_field for row in rows if isinstance(row, ExportedAttribute))
        for twice in sorted(each for each, count in fields.items() if count > 1):
            self._problem(name, _("Two rows fill the field “%(name)s”.") % {"name": twice})
        said = {json.dumps(each, sort_keys=True) for each in serialize_rows(name, rows)}
        if len(said) < len(rows):
            self._problem(name, _("Two rows say the same."))
        if any(getattr(row, "group", None) for row in rows) and not users_have_groups():
            self._problem(name, _("The users of this site have no groups."))
        if name == "access_rules" and len(rows) > MAX_RULES:
            self._problem(name, _("A provider has %(max)s access rules at the most.") % {"max": MAX_RULES})
        return rows

    def _row(self, name: str, where: str, given: dict[str, Any]) -> models.Model | None:
        self._check_names(given, ROWS[name], where)
        model: Any = Provider._meta.get_field(name).related_model
        values = {key: value for key, value in given.items() if key in ROWS[name]}
        has_group = "group" not in ROWS[name] or self._take_group(name, where, values)
        typed = [self._is_of_its_type(model, key, values, where) for key in values if key != "group"]
        if not all(typed) or not has_group:
            return None
        row: models.Model = model(**values)
        try:
            row.full_clean(exclude=["provider", "group"], validate_unique=False, validate_constraints=False)
        except ValidationError as exc:
            for key, errors in exc.error_dict.items():
                for error in errors:
                    place = (getattr(error, "params", None) or {}).get("place", "")
                    self._problem(f"{where}.{key}{place}", *_texts(model, key, [error]))
        return row

    def _take_group(self, name: str, where: str, values: dict[str, Any]) -> bool:
        """Put the group in the place of its name, and tell where there is none.

        An access rule has one where its outcome says so; ``null`` is one that was deleted since.
        """
        given = values.get("group", "")
        may_lack = name == "access_rules" and (given is None or values.get("outcome") != "group")
        values["group"] = Group.objects.filter(name=str(given)).first() if given else None
        if values["group"] is None and (given or not may_lack):
            self._problem(f"{where}.group", _("This site has no group of that name: create it first."))
            return False
        return True

    def _take_secret(self) -> None:
        given = self.declared.get(SECRET)
        if given not in (None, ""):
            if not isinstance(given, str) or not given.startswith(("env:", "file:")):
                self._problem(SECRET, _("A secret is only given by name here: env:PSC_CONNECT_SECRET_… or file:NAME."))
                return
            try:
                validate_secret(given)
            except ValidationError as exc:
                self._problem(SECRET, *exc.messages)
                return
            self.secret = StoredSecret.of(given)
        if self.secret is not None and not self._is_kept(self.secret):
            self.provider.client_secret = self.secret

    def _waits_for_secret(self) -> bool:
        """Leave a provider disabled that has no secret yet: its button would lead people to a refusal."""
        was_enabled = self.present is not None and self.present.enabled
        waits = self.provider.enabled and not was_enabled and not self.provider.client_secret
        if waits:
            self.provider.enabled = False
        return waits

    def _is_kept(self, secret: StoredSecret) -> bool:
        """Whether this is the secret of the row: two encryptions of it are never equal."""
        return self.present is not None and secret.says_the_same_as(self.present.client_secret)

    def _take_metadata(self) -> None:
        """Take what is given; where the provider's own document is followed, only as a start."""
        provider, present = self.provider, self.present
        given = self.declared.get("metadata")
        if given not in (None, {}):
            is_of_its_issuer = present is not None and isinstance(given, dict) and given.get("issuer") == present.issuer
            if not (provider.metadata_followed and is_of_its_issuer):
                provider.metadata = given
        elif present is None or not present.metadata or provider.environment != present.environment:
            try:
                provider.metadata = validation.environment_metadata(provider.environment)
            except (ProviderUnavailable, MetadataError) as exc:
                self._problem("environment", explain(exc.code))
                return
        wanted = validation.Wanted(
            provider.environment, provider.metadata, self.secret, may_replace_issuer=self.may_replace_issuer
        )
        try:
            for name, error in validation.problems(present, wanted):
                self._problem(name, *error.messages)
        except MetadataError as exc:
            self._problem("metadata", *ValidationError(form_errors_of(exc)).messages)

    def _take_keys(self) -> None:
        """Take what is given where the row has no keys yet, or where all of it is pinned."""
        provider, given = self.provider, self.declared.get("jwks")
        if self.present is not None and self.present.issuer != provider.issuer:
            keys.forget_keys(provider)
        if given in (None, {}):
            return
        try:
            if self._are_taken(parse_jwks(given)):
                keys.set_keys(provider, given)
        except JWKSError as exc:
            self._problem("jwks", explain(exc.code))

    def _are_taken(self, found: KeySet) -> bool:
        # Whoever has read the document can sign with it.
        if found.has_private:
            raise JWKSError("jwks_key_private")
        names = {key.thumbprint for key in found.keys}
        if names and names <= {*self.provider.jwks_pinned}:
            return names != key_names(self.provider.jwks).keys()
        return not self.provider.jwks

    def _clean(self) -> None:
        try:
            self.provider.full_clean(exclude=["metadata", "jwks", SECRET], validate_unique=False)
        except ValidationError as exc:
            for name, errors in exc.error_dict.items():
                self._problem(name, *_texts(Provider, name, errors))


def _texts(model: type[models.Model], name: str, errors: list[ValidationError]) -> list[str]:
    """Return what each error says; of a choice, which there are: whoever writes JSON has no list to choose from."""
    if any(error.code == "invalid_choice" for error in errors):
        field: Any = model._meta.get_field(name)
        choices = ", ".join(str(value) for value, _label in field.flatchoices if value)
        return [_("Expected here: one of %(choices)s.") % {"choices": choices}]
    return ValidationError(errors).messages


def _type_of(field: Any) -> tuple[type, str]:
    """Return what JSON has for a field, and what it is called."""
    if isinstance(field, models.BooleanField):
        return bool, _("true or false")
    if isinstance(field, models.IntegerField):
        return int, _("a whole number")
    if isinstance(field, models.JSONField):
        return (list, _("a list")) if field.default is list else (dict, _("an object"))
    return str, _("text")
