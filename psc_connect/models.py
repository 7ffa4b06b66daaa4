"""What the package keeps: providers with their keys and exported attributes, accounts, states already used."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from typing_extensions import override

from psc_connect import conf
from psc_connect.attributes import validate_claim, validate_user_field
from psc_connect.environments import load_metadata
from psc_connect.fields import SecretField, SecretUnavailable, StoredSecret
from psc_connect.oidc.algorithms import ALGORITHMS
from psc_connect.oidc.jwks import KeySet, parse_jwks
from psc_connect.oidc.metadata import ProviderMetadata, parse_metadata

# RFC 6749 3.3 (scope-token) and OpenID Connect Core 3.1.2.1 (acr_values): visible ASCII, separated by single spaces.
space_separated = RegexValidator(
    r"^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$",
    _("Write the values in plain characters, with one space between two of them."),
)
# RFC 6749 A.1: what a client id may be made of.
client_id_characters = RegexValidator(
    r"^[\x21-\x7E]+$", _("A client id has no space, no accent and no invisible character: copy it again.")
)


class Environment(models.TextChoices):
    PRODUCTION = "production", _("Production")
    SANDBOX = "sandbox", _("Sandbox (BAS)")
    SIMULATOR = "simulator", _("Simulator (on this machine)")
    CUSTOM = "custom", pgettext_lazy("environment", "Custom")


class TokenEndpointAuthMethod(models.TextChoices):
    CLIENT_SECRET_POST = "client_secret_post", "client_secret_post"
    CLIENT_SECRET_BASIC = "client_secret_basic", "client_secret_basic"


class Prompt(models.TextChoices):
    """The values of ``prompt`` that can end in a login a person asked for (OpenID Connect Core 3.1.2.1)."""

    LOGIN = "login", _("login: identify again each time")
    CONSENT = "consent", _("consent: ask for consent")
    SELECT_ACCOUNT = "select_account", _("select_account: choose an account")


class RequireIssuer(models.TextChoices):
    ANNOUNCED = "announced", _("when the provider announces it")
    NEVER = "never", _("never (it is compared if present)")


def may_go_to(issuer: str, secret: StoredSecret) -> bool:
    """Whether the secret may be sent to the issuer.

    Whoever types a name (``env:…``, ``file:…``) need not know the secret: it goes to ANS's issuers, and to another one
    only where the site's settings say so. Otherwise the right to declare a provider would be the right to read it.
    """
    reference = secret.reference()
    if not reference or conf.secret_issuers().get(reference) == issuer:
        return True
    return issuer in {load_metadata(environment)["issuer"] for environment in ("production", "sandbox")}


class Provider(models.Model):
    """One declared OpenID provider: Pro Santé Connect in production, its sandbox, the simulator, or another."""

    slug = models.SlugField(
        _("identifier"),
        unique=True,
        help_text=_("Part of the redirect URI declared to ANS: do not change it afterwards."),
    )
    environment = models.CharField(_("environment"), max_length=16, choices=Environment, default=Environment.PRODUCTION)
    enabled = models.BooleanField(_("enabled"), default=True)
    client_id = models.CharField(_("client id"), max_length=255, validators=[client_id_characters])
    client_secret = SecretField(_("client secret"), blank=True)
    token_endpoint_auth_method = models.CharField(
        _("token endpoint authentication"),
        max_length=32,
        choices=TokenEndpointAuthMethod,
        default=TokenEndpointAuthMethod.CLIENT_SECRET_POST,
    )
    scope = models.CharField(_("scopes"), max_length=255, default="openid scope_all", validators=[space_separated])
    acr_values = models.CharField(
        _("requested ACR"), max_length=255, default="eidas2", blank=True, validators=[space_separated]
    )
    accepted_acr_values = models.CharField(
        _("ACR accepted on return"),
        max_length=255,
        blank=True,
        validators=[space_separated],
        help_text=_("Empty: any. Otherwise a login whose acr is absent or not among these values is refused."),
    )
    prompt = models.CharField(_("prompt"), max_length=32, choices=Prompt, blank=True)
    max_age = models.PositiveIntegerField(
        _("maximum age of the authentication (seconds)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(30 * 24 * 3600)],
        help_text=_(
            "Empty: not asked. Otherwise Pro Santé Connect must say when the person identified, and it is checked."
        ),
    )
    require_iss = models.CharField(
        _("require iss in the answer"), max_length=16, choices=RequireIssuer, default=RequireIssuer.ANNOUNCED
    )
    id_token_signed_response_alg = models.CharField(
        _("ID token signature"), max_length=8, choices=[(name, name) for name in ALGORITHMS], default="RS256"
    )
    userinfo_signed_response_alg = models.CharField(
        _("userinfo signature"),
        max_length=8,
        choices=[(name, name) for name in ALGORITHMS],
        blank=True,
        help_text=_("Empty: the userinfo is plain JSON, as Pro Santé Connect sends it."),
    )
    metadata = models.JSONField(_("provider metadata"), default=dict, blank=True)
    jwks = models.JSONField(_("signing keys (JWKS)"), default=dict, blank=True)
    jwks_pinned = models.BooleanField(
        _("pinned keys"),
        default=False,
        help_text=_("Keys that are here and pinned are never fetched again, whatever their age."),
    )
    # When the keys were imported; when the last fetch began (the slot that one worker a minute can claim) and ended.
    jwks_updated_at = models.DateTimeField(_("keys imported on"), null=True, editable=False)
    jwks_fetch_began_at = models.DateTimeField(null=True, editable=False)
    jwks_fetch_ended_at = models.DateTimeField(null=True, editable=False)
    # {thumbprint: ISO 8601 date}: since when each key is on the row.
    jwks_first_seen = models.JSONField(default=dict, editable=False)
    create_unknown_users = models.BooleanField(
        _("create unknown users"),
        default=True,
        help_text=_("Off: only people with an account here, or whom the site's own code finds, can sign in."),
    )
    button_text = models.CharField(
        _("button text"), max_length=100, blank=True, help_text=_("Empty: “Sign in with Pro Santé Connect”.")
    )
    button_logo = models.CharField(
        _("button logo"),
        max_length=255,
        blank=True,
        help_text=_("Path of a static file, such as the official logo from ANS. Empty: our own drawing."),
    )

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ("slug",)

    @override
    def __str__(self) -> str:
        return f"{self.slug} – {self.get_environment_display()}"

    @property
    def parsed_metadata(self) -> ProviderMetadata:
        """Raises MetadataError (OpenID Connect Discovery 1.0 section 3)."""
        return parse_metadata(
            self.metadata,
            allow_loopback_http=conf.allow_loopback_http(),
            extra_hosts=conf.extra_endpoint_hosts(),
        )

    @property
    def issuer(self) -> str:
        return str(self.metadata.get("issuer", "")) if isinstance(self.metadata, dict) else ""

    def secret_for_its_issuer(self) -> str:
        """Return the client secret, to be sent to this issuer. Raises SecretUnavailable."""
        secret = self.client_secret.reveal()
        if not may_go_to(self.issuer, self.client_secret):
            raise SecretUnavailable("secret_reference_not_for_issuer")
        return secret

    def key_set(self) -> KeySet:
        """Return the keys of the row; an empty row has none. Raises JWKSError."""
        return parse_jwks(self.jwks) if self.jwks else KeySet(keys=(), ignored=())


class ExportedAttribute(models.Model):
    """One row of the mapping: a claim, by its path, to a field of the user."""

    class When(models.TextChoices):
        CREATION = "creation", _("at creation")
        LOGIN = "login", _("at each login")
        EMPTY = "empty", _("if the field is empty")

    provider = models.ForeignKey(
        Provider, models.CASCADE, related_name="exported_attributes", verbose_name=_("provider")
    )
    claim = models.CharField(
        _("claim"),
        max_length=255,
        validators=[validate_claim],
        help_text=_("A JMESPath expression, such as given_name or otherIds[0].identifiant."),
    )
    user_field = models.CharField(_("field of the user"), max_length=100, validators=[validate_user_field])
    when = models.CharField(_("when"), max_length=16, choices=When, default=When.LOGIN)
    required = models.BooleanField(_("required"), default=False, help_text=_("A login without this claim is refused."))

    class Meta:
        verbose_name = _("exported attribute")
        verbose_name_plural = _("exported attributes")
        constraints = (
            models.UniqueConstraint(fields=("provider", "user_field"), name="psc_connect_one_claim_per_field"),
        )

    @override
    def __str__(self) -> str:
        return f"{self.claim} → {self.user_field}"


class Account(models.Model):
    """(issuer, ``sub``) ↔ user: the only thing by which a professional is found again (OpenID Connect Core 5.7)."""

    # What the database holds, once the row comes from it or has gone there.
    stored_identity: tuple[str, str] | None = None

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="accounts", verbose_name=_("provider"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="psc_accounts", verbose_name=_("user")
    )
    issuer = models.CharField(_("issuer"), max_length=255, editable=False)
    subject = models.CharField("sub", max_length=255, editable=False)
    # Kept from the first login on, as PSC sent them, for the day on which `sub` changes with the identifier in it.
    subject_name_id = models.CharField(_("national identifier"), max_length=255, blank=True, editable=False)
    other_ids = models.JSONField(_("other identifiers"), default=list, editable=False)
    created_at = models.DateTimeField(_("created on"), auto_now_add=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = (models.UniqueConstraint(fields=("issuer", "subject"), name="psc_connect_one_account_per_sub"),)

    @override
    def __str__(self) -> str:
        # No identifier: this text ends up in histories and in messages.
        return f"{self.provider.slug} · {self.pk}"

    @override
    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.stored_identity not in {None, (self.issuer, self.subject)}:
            raise ValidationError(_("The issuer and sub of an account never change."), code="account_immutable")
        super().save(*args, **kwargs)
        self.stored_identity = (self.issuer, self.subject)

    @override
    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Account:
        account: Account = super().from_db(*args, **kwargs)
        if not account.get_deferred_fields() & {"issuer", "subject"}:
            account.stored_identity = (account.issuer, account.subject)
        return account


class ClaimedState(models.Model):
    """A state whose callback has begun: its insertion is what makes a code go to the provider once."""

    state_digest = models.CharField(max_length=64, primary_key=True)
    claimed_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("used state")
        verbose_name_plural = _("used states")

    @override
    def __str__(self) -> str:
        return f"{self.claimed_at:%Y-%m-%d %H:%M}"
