"""Application of plans: all of them in one transaction, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from psc_connect.administrator_messages import explain
from psc_connect.configuration.problems import ConfigurationError, Problem
from psc_connect.models import Provider
from psc_connect.oidc.errors import JWKSError, MetadataError, ProviderUnavailable
from psc_connect.providers import audit, keys, validation
from psc_connect.providers.key_rows import have_other_content
from psc_connect.providers.serialization import KEY_FIELDS, PROVIDER_FIELDS, SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User

    from psc_connect.configuration.plan import Plan

# With another issuer, the keys go.
REPLACES_KEYS = {*KEY_FIELDS, "metadata"}


def apply_plans(plans: list[Plan], *, source: str, by: User | None = None) -> None:
    """Save every plan, or none. It fetches no keys: see ``import_missing_keys``.

    Raises ValueError if a plan has problems; ConfigurationError if another secret, another recipient of it, or other
    keys that a plan replaces, were saved since the plans were made.
    """
    if any(plan.problems for plan in plans):
        raise ValueError("a plan with problems cannot be applied")
    with transaction.atomic():
        for plan in plans:
            if plan.has_changes:
                _check_unchanged(plan)
                with audit.recorded(plan.provider, source=source, by=by):
                    _save(plan)


def import_missing_keys(plans: list[Plan], *, source: str, by: User | None = None) -> Iterator[tuple[Provider, str]]:
    """Import the keys of providers that have none. Yield each provider whose import failed, and the message."""
    for plan in plans:
        provider = plan.provider
        if provider.jwks or not provider.metadata.get("jwks_uri"):
            continue
        try:
            keys.import_keys(provider, source=source, by=by)
        except (MetadataError, ProviderUnavailable, JWKSError) as exc:
            yield provider, explain(exc.code)


def _check_unchanged(plan: Plan) -> None:
    """Lock the row, and check that its secret, the recipient of it and its keys are those the plan was made for."""
    row = Provider.objects.filter(slug=plan.provider.slug).first()
    row = keys.locked(row) if row else None
    stored = None if row is None else (row.secret_recipient, row.client_secret.ciphertext)
    have_keys_changed = row is not None and have_other_content(row.key_rows, plan.keys_when_planned)
    if stored != plan.secret_when_planned or (_changed(plan) & REPLACES_KEYS and have_keys_changed):
        text = _("This provider has been changed meanwhile: start again.")
        raise ConfigurationError(Problem(plan.provider.slug, text))


def _changed(plan: Plan) -> set[str]:
    return {difference.name.partition(".")[0] for difference in plan.diff}


def _save(plan: Plan) -> None:
    provider = plan.provider
    changed = _changed(plan)
    if plan.is_new:
        provider.save()
    else:
        # Only what the plan changes, since other fields may have changed meanwhile.
        fields = changed & ({*PROVIDER_FIELDS} - {*KEY_FIELDS})
        if plan.secret is not None:
            fields.add(SECRET)
        provider.save(update_fields=fields)
    if changed & REPLACES_KEYS:
        # Also where the keys stay: a fetch from the issuer before, still under way, saves nothing then.
        keys.replace_keys(provider, provider.key_rows)
    for name, rows in plan.rows.items():
        validation.replace_rows(provider, name, rows)
