"""A declaration as JSON: all that an administrator decides of a provider, in the names of the model's fields, without
its secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist

from psc_connect.models import Provider
from psc_connect.oidc.errors import JWKSError
from psc_connect.oidc.jwks import parse_jwks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.db import models

FORMAT = 1
# In the order in which a file shows them.
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
ROWS = {
    "exported_attributes": ("claim", "user_field", "when", "required"),
    "exported_groups": ("claim", "equals", "group"),
    "resolution_rules": ("kind", "header", "value"),
}


def declaration_of(provider: Provider) -> dict[str, Any]:
    """Return the declaration as ``psc_configure`` reads it: a secret only where it is a name, ``env:`` or ``file:``."""
    reference = provider.client_secret.reference()
    return {
        "slug": provider.slug,
        **{name: getattr(provider, name) for name in PROVIDER_FIELDS},
        **({"client_secret": reference} if reference else {}),
        **{name: rows_as_json(provider, name) for name in ROWS},
    }


def rows_as_json(provider: Provider, name: str) -> list[dict[str, Any]]:
    """Return the rows that a provider has under a name of ``ROWS``; an unsaved one has none."""
    if not provider.pk:
        return []
    rows = getattr(provider, name).all()
    if "group" in ROWS[name]:
        rows = rows.select_related("group")
    return [row_as_json(row, ROWS[name]) for row in rows]


def row_as_json(row: models.Model, fields: tuple[str, ...]) -> dict[str, Any]:
    """Return a row of the mapping or of the resolution; a group by its name, since its number is this database's."""
    return {name: row.group.name if name == "group" else getattr(row, name) for name in fields}  # type: ignore[attr-defined]


def in_one_line(value: Any, limit: int = 200) -> str:
    """Return a value as one line of text, cut where it is long: text as it is, anything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def exported(providers: Iterable[Provider]) -> dict[str, Any]:
    return {"psc_connect": FORMAT, "providers": [declaration_of(provider) for provider in providers]}


def label_of(name: str, model: type[models.Model] = Provider) -> str:
    """Return what a field of a declaration, or a kind of row, is called in the active language; else its name."""
    if name in ROWS:
        return str(Provider._meta.get_field(name).related_model._meta.verbose_name)  # type: ignore[union-attr]
    try:
        return str(model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    except FieldDoesNotExist:
        return name


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same in two declarations; None where it is in one of them only.

    ``name`` is a field, or a field and its member: ``scope``, ``metadata.issuer``, ``exported_attributes.last_name``.
    """

    name: str
    old: Any
    new: Any


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Compare two declarations, or two parts of them: member by member, row by row, key by key."""
    before, after = dict(_flat(old)), dict(_flat(new))
    return tuple(
        Difference(name, before.get(name), after.get(name))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
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
    for number, row in enumerate(rows, start=1):
        # A field of the user has one row; the others are told apart by all that they are.
        own = row.get("user_field") or " ".join(str(value) for value in row.values()) or str(number)
        yield f"{name}.{own}", dict(row)


def key_names(jwks: object) -> dict[str, str]:
    """Return ``{thumbprint: kid}`` of every usable key of a set; nothing for what is no key set."""
    try:
        keys = parse_jwks(jwks).keys if jwks else ()
    except JWKSError:
        return {}
    return {key.thumbprint: key.kid or "" for key in keys}
