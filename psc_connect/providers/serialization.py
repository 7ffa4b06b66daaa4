"""Providers as JSON: all that an administrator decides, under the names of the model's fields, without the secret."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.models import Provider
from psc_connect.oidc.errors import JWKSError
from psc_connect.oidc.jwks import parse_jwks
from psc_connect.validators import validate_thumbprints

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FORMAT = 1
# In the order of an exported file.
PROVIDER_FIELDS = (
    "environment",
    "enabled",
    "comment",
    "client_id",
    "token_endpoint_auth_method",
    "scope",
    "acr_values",
    "accepted_acr_values",
    "prompt",
    "max_age",
    "require_iss",
    "display",
    "ui_locales",
    "extra_parameters",
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "create_unknown_users",
    "link_user_field",
    "link_privileged_users",
    "ask_activity",
    "others_may_sign_in",
    "refusal_message",
    "contact",
    "button_text",
    "button_tooltip",
    "translations",
    "button_logo",
    "sort_order",
    "metadata_followed",
    "metadata",
    "jwks",
    "jwks_pinned",
    "jwks_retired",
)
# Three of them are rows of their own (`SigningKey`). These fields say their names, types and validators.
KEY_FIELDS: dict[str, models.JSONField[Any, Any]] = {
    "jwks": models.JSONField(_("signing keys (JWKS)"), default=dict),
    "jwks_pinned": models.JSONField(_("pinned keys"), default=list, blank=True, validators=[validate_thumbprints]),
    "jwks_retired": models.JSONField(_("retired keys"), default=list, blank=True, validators=[validate_thumbprints]),
}
# Serialized only if it is a reference: ``env:``, ``file:``.
SECRET = "client_secret"  # noqa: S105 - the name of the field
ROWS = {
    "exported_attributes": ("claim", "user_field", "when", "required"),
    "exported_groups": ("claim", "equals", "group"),
    "selection_rules": ("kind", "header", "value"),
    "access_rules": ("conditions", "outcome", "message", "group"),
}
# The name of an entry of the audit log: the accounts of one issuer became those of another.
MOVED_ACCOUNTS = "moved_accounts"
# Their order matters: a row is identified by its number.
ORDERED_ROWS = ("access_rules",)


def serialize_provider(provider: Provider) -> dict[str, Any]:
    """Return the provider as ``psc_configure`` reads it; a secret only if it is a reference, ``env:`` or ``file:``."""
    reference = provider.client_secret.reference()
    return {
        "slug": provider.slug,
        **{name: getattr(provider, name) for name in PROVIDER_FIELDS},
        **({"client_secret": reference} if reference else {}),
        **{name: stored_rows(provider, name) for name in ROWS},
    }


def stored_rows(provider: Provider, name: str) -> list[dict[str, Any]]:
    """Return the rows that a provider has under a name of ``ROWS``; an unsaved one has none."""
    if not provider.pk:
        return []
    rows = getattr(provider, name).all()
    if "group" in ROWS[name]:
        rows = rows.select_related("group")
    return serialize_rows(name, rows)


def serialize_rows(name: str, rows: Iterable[models.Model]) -> list[dict[str, Any]]:
    """Return rows of a name of ``ROWS`` as JSON."""
    return [_row_as_json(row, ROWS[name]) for row in rows]


def _row_as_json(row: models.Model, fields: tuple[str, ...]) -> dict[str, Any]:
    """Return a row; a group by its name, since its number only holds in this database."""
    values = {name: getattr(row, name) for name in fields}
    if values.get("group") is not None:
        values["group"] = values["group"].name
    return values


def exported(providers: Iterable[Provider]) -> dict[str, Any]:
    return {"psc_connect": FORMAT, "providers": [serialize_provider(provider) for provider in providers]}


def field_of(name: str, model: type[models.Model] = Provider) -> Any:
    """Return the field that a name of a serialization stands for. Raises FieldDoesNotExist."""
    return KEY_FIELDS[name] if model is Provider and name in KEY_FIELDS else model._meta.get_field(name)


def label_of(name: str, model: type[models.Model] = Provider) -> str:
    """Return the label of a field, or of a kind of row, in the active language; else its name."""
    if name == MOVED_ACCOUNTS:
        return gettext("accounts moved to another issuer")
    if name in ROWS:
        return str(Provider._meta.get_field(name).related_model._meta.verbose_name)  # type: ignore[union-attr]
    try:
        return str(field_of(name, model).verbose_name)
    except FieldDoesNotExist:
        return name


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two serializations; None where a value is in one of them only.

    ``name`` is a field, or a field and its member: ``scope``, ``metadata.issuer``, ``exported_attributes.last_name``,
    ``selection_rules.["host", "", "a.example"]``.
    """

    name: str
    old: Any
    new: Any


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Compare two serializations, or parts of them: member by member, row by row, key by key."""
    return member_differences(dict(_flat(old)), dict(_flat(new)))


def member_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Compare two JSON objects of others, such as metadata, member by member."""
    return tuple(
        Difference(name, old.get(name), new.get(name))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    )


def _flat(declaration: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in declaration.items():
        if name == "jwks":
            yield from ((f"jwks.{thumbprint}", kid) for thumbprint, kid in key_names(value).items())
        elif name in ROWS:
            yield from _flat_rows(name, value)
        elif isinstance(value, dict):
            yield from ((f"{name}.{member}", each) for member, each in value.items())
        else:
            yield name, value


def _flat_rows(name: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    known: Counter[str] = Counter()
    for number, row in enumerate(rows, start=1):
        # A field of the user has one row; other rows are identified by all their values.
        told = "" if name in ORDERED_ROWS else json.dumps([*row.values()], ensure_ascii=False, default=str)
        own = row.get("user_field") or told or str(number)
        known[own] += 1
        yield f"{name}.{own}" + (f" ({known[own]})" if known[own] > 1 else ""), dict(row)


def key_names(jwks: object) -> dict[str, str]:
    """Return ``{thumbprint: kid}`` of every usable key of a set; {} for anything but a key set."""
    try:
        keys = parse_jwks(jwks).keys if jwks else ()
    except JWKSError:
        return {}
    return {key.thumbprint: key.kid or "" for key in keys}
