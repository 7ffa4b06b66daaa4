"""Plans made from declarations: every problem is found before anything is saved."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from psc_connect.administrator_messages import explain, form_errors_of
from psc_connect.configuration.plan import Plan
from psc_connect.configuration.problems import ConfigurationError, Problem, Problems
from psc_connect.configuration.rows import read_rows
from psc_connect.fields import StoredSecret, validate_secret
from psc_connect.models import Provider
from psc_connect.models.signing_key import key_set_of
from psc_connect.oidc.errors import JWKSError, MetadataError, ProviderUnavailable
from psc_connect.oidc.jwks import parse_jwks
from psc_connect.providers import validation
from psc_connect.providers.key_rows import PINNED, RETIRED, rows_of_document, states_of, with_states
from psc_connect.providers.same_issuer import disagreements
from psc_connect.providers.serialization import (
    KEY_FIELDS,
    PROVIDER_FIELDS,
    ROWS,
    SECRET,
    diff,
    field_of,
    key_names,
    serialize_provider,
    serialize_rows,
)
from psc_connect.validators import can_be_stored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db import models

    from psc_connect.oidc.jwks import KeySet

# Set by ``_take_metadata`` and ``_take_keys``.
SET_SEPARATELY = ("jwks", "metadata")
MAX_DECLARATIONS = 100  # each needs several queries


def make_plans(
    declarations: list[dict[str, Any]],
    secrets: Mapping[str, StoredSecret] | None = None,
    *,
    may_replace_issuer: bool = False,
) -> list[Plan]:
    """Return a plan for each declaration. Raises ConfigurationError if there are too many, and TooSlow in a request.

    ``secrets``: by slug, those that another system's configuration has in clear. ``may_replace_issuer``: a provider
    that exists may change its environment or issuer.
    """
    if len(declarations) > MAX_DECLARATIONS:
        text = _("At most %(max)s declarations are read at once.") % {"max": MAX_DECLARATIONS}
        raise ConfigurationError(Problem("providers", text))
    plans = []
    for number, declaration in enumerate(declarations):
        where = f"providers[{number}]" if len(declarations) > 1 else ""
        secret = (secrets or {}).get(str(declaration.get("slug")))
        planner = _Planner(declaration, where, secret=secret, may_replace_issuer=may_replace_issuer)
        plans.append(planner.plan())
    slugs = Counter(plan.provider.slug for plan in plans)
    for plan in plans:
        if slugs[plan.provider.slug] > 1:
            plan.problems.append(Problem("slug", _("Two declarations have this identifier.")))
    if not any(plan.problems for plan in plans):
        _compare_with_same_issuer(plans)
    return plans


def _compare_with_same_issuer(plans: list[Plan]) -> None:
    """Compare each plan with the other declarations of its issuer, as they will be."""
    declared = {provider.slug: provider for provider in Provider.objects.all()}
    planned = declared | {plan.provider.slug: plan.provider for plan in plans}
    for plan in plans:
        slug, wanted = plan.provider.slug, {key.thumbprint for key in plan.provider.key_set().keys}
        plan.disagreements = disagreements(
            declared.get(slug),
            plan.provider.metadata,
            [other for other in planned.values() if other.slug != slug],
            given_keys=wanted - {key.thumbprint for key in key_set_of(plan.keys_when_planned).keys},
        )


class _Planner:
    """Makes the plan of one declaration."""

    def __init__(
        self, declared: dict[str, Any], where: str, *, secret: StoredSecret | None, may_replace_issuer: bool
    ) -> None:
        self.declared, self.secret, self.may_replace_issuer = declared, secret, may_replace_issuer
        self.problems = Problems(where)
        environment = declared.get("environment")
        default = validation.default_slug(environment if isinstance(environment, str) else "")
        slug = str(declared.get("slug") or default)
        stored = Provider.objects.filter(slug=slug) if can_be_stored(slug) else Provider.objects.none()
        # Read twice: one row to change, one to compare with.
        self.present, self.provider = stored.first(), stored.first() or Provider(slug=slug)

    def plan(self) -> Plan:
        self.problems.check_names(self.declared, ("slug", SECRET, *PROVIDER_FIELDS, *ROWS))
        given = [name for name in ("slug", *PROVIDER_FIELDS) if name in self.declared and name not in SET_SEPARATELY]
        valid = [name for name in given if self.problems.has_valid_type(Provider, name, self.declared)]
        for name in valid:
            if name not in KEY_FIELDS:
                setattr(self.provider, name, self.declared[name])
        rows = {name: read_rows(name, self.declared[name], self.problems) for name in ROWS if name in self.declared}
        if self.present is None and "exported_attributes" not in rows:
            rows["exported_attributes"] = list(validation.default_attributes())
        if self.present is None and "environment" not in self.declared:
            self.problems.add(
                "environment", _("A new provider needs an environment: production, sandbox, simulator or custom.")
            )
        if valid == given:
            self._clean()
        if not self.problems.found:
            self._take_secret()
            self._take_metadata()
            self._take_keys()
        if self.problems.found:
            has_slug = bool(self.declared.get("slug"))
            return Plan(self.provider, self.present is None, problems=self.problems.found, has_slug=has_slug)
        return self._plan_without_problems(rows)

    def _plan_without_problems(self, rows: dict[str, list[models.Model]]) -> Plan:
        # Without a secret every sign-in would be refused.
        was_enabled = self.present is not None and self.present.enabled
        waits_for_secret = self.provider.enabled and not was_enabled and not self.provider.client_secret
        if waits_for_secret:
            self.provider.enabled = False
        old = serialize_provider(self.present) if self.present else {}
        new = serialize_provider(self.provider) | {name: serialize_rows(name, kind) for name, kind in rows.items()}
        return Plan(
            provider=self.provider,
            is_new=self.present is None,
            old=old,
            new=new,
            diff=diff(old, new),
            rows={name: kind for name, kind in rows.items() if old.get(name) != new[name]},
            secret=None if self.secret is None or self._is_stored(self.secret) else self.secret,
            has_secret=self.secret is not None,
            secret_when_planned=(self.present.secret_recipient, self.present.client_secret.ciphertext)
            if self.present
            else None,
            keys_when_planned=self.present.key_rows if self.present else [],
            waits_for_secret=waits_for_secret,
        )

    def _take_secret(self) -> None:
        given = self.declared.get(SECRET)
        if given not in (None, ""):
            if not isinstance(given, str) or not given.startswith(("env:", "file:")):
                self.problems.add(
                    SECRET, _("A secret is only given by reference here: env:PSC_CONNECT_SECRET_… or file:NAME.")
                )
                return
            try:
                validate_secret(given)
            except ValidationError as exc:
                self.problems.add(SECRET, *exc.messages)
                return
            self.secret = StoredSecret.encrypt(given)
        if self.secret is not None:
            self.provider.client_secret = self.secret

    def _is_stored(self, secret: StoredSecret) -> bool:
        """Whether this is the stored secret, encrypted for the recipient that the plan names."""
        present = self.present
        return present is not None and secret.is_stored_as(present.client_secret, self.provider.secret_recipient)

    def _take_metadata(self) -> None:
        """Take the given metadata. If the provider's own metadata is followed, it only replaces another issuer's."""
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
                self.problems.add("environment", explain(exc.code))
                return
        try:
            for name, error in validation.problems(
                present,
                environment=provider.environment,
                metadata=provider.metadata,
                secret=self.secret,
                may_replace_issuer=self.may_replace_issuer,
            ):
                self.problems.add(name, *error.messages)
        except MetadataError as exc:
            self.problems.add("metadata", *ValidationError(form_errors_of(exc)).messages)

    def _take_keys(self) -> None:
        """Take the given keys if the provider has none, or if all given keys are pinned."""
        provider, given = self.provider, self.declared.get("jwks")
        # Keys of one issuer must never verify the tokens of another.
        is_another_issuer = self.present is not None and self.present.issuer != provider.issuer
        known = [] if is_another_issuer or self.present is None else self.present.key_rows
        provider.key_rows = with_states(known, self._states(states_of(known)))
        if given in (None, {}):
            return
        try:
            if self._are_taken(parse_jwks(given)):
                provider.key_rows = rows_of_document(given, known=provider.key_rows)
        except JWKSError as exc:
            self.problems.add("jwks", explain(exc.code))

    def _states(self, stored: dict[str, str]) -> dict[str, str]:
        """Return the state of each key by its thumbprint: the declared one, or else the stored one."""
        states: dict[str, str] = {}
        for name, state in (("jwks_pinned", PINNED), ("jwks_retired", RETIRED)):
            thumbprints = [thumbprint for thumbprint, stored_state in stored.items() if stored_state == state]
            states |= dict.fromkeys(self.declared.get(name, thumbprints), state)
        return states

    def _are_taken(self, found: KeySet) -> bool:
        # Anybody who has read the configuration can sign with it.
        if found.has_private:
            raise JWKSError("jwks_key_private")
        names = {key.thumbprint for key in found.keys}
        if names and names <= {*self.provider.jwks_pinned}:
            return names != key_names(self.provider.jwks).keys()
        return not self.provider.jwks

    def _clean(self) -> None:
        try:
            self.provider.full_clean(exclude=["metadata", SECRET], validate_unique=False)
        except ValidationError as exc:
            self.problems.add_errors(Provider, exc)
        for name in KEY_FIELDS:
            self._validate(name)

    def _validate(self, name: str) -> None:
        try:
            field_of(name).run_validators(self.declared.get(name))
        except ValidationError as exc:
            self.problems.add(name, *exc.messages)
