"""The provider: its client settings, its metadata and keys, its button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect import conf
from psc_connect.environments import environment_of_issuer
from psc_connect.fields import SecretField, SecretUnavailable, StoredSecret
from psc_connect.models.choices import AskActivity, Display, Environment, Prompt, RequireIssuer, TokenEndpointAuthMethod
from psc_connect.models.declaration import ProviderQuerySet, VersionedModel
from psc_connect.models.signing_key import SigningKey, jwks_of, key_set_of, thumbprints
from psc_connect.models.user_fields import validate_link_field
from psc_connect.oidc.algorithms import ALGORITHMS
from psc_connect.oidc.client import ClientCredentials
from psc_connect.oidc.metadata import ProviderMetadata, parse_metadata, secret_recipient
from psc_connect.validators import (
    client_id_characters,
    language_tags,
    space_separated,
    validate_extra_parameters,
    validate_scope,
    validate_static_path,
    validate_translations,
)

if TYPE_CHECKING:
    from psc_connect.fields import Recipient
    from psc_connect.models.fetch_times import ProviderFetchTimes
    from psc_connect.oidc.jwks import KeySet


def secret_allowed_for_issuer(issuer: str, secret: StoredSecret) -> bool:
    """Whether the secret may be sent to the issuer.

    A reference (``env:…``, ``file:…``) can be typed without knowing the secret. It is sent to ANS's issuers, and to
    others only if the settings allow it: otherwise, the permission to add a provider would be one to read the secret.
    """
    reference = secret.reference()
    if not reference or conf.secret_issuers().get(reference) == issuer:
        return True
    return environment_of_issuer(issuer) in {"production", "sandbox"}


class Provider(VersionedModel):
    """An OpenID provider: Pro Santé Connect in production, its sandbox, the simulator, or another."""

    slug = models.SlugField(
        _("identifier"),
        unique=True,
        help_text=_("Part of the redirect URI declared to ANS: do not change it afterwards."),
    )
    environment = models.CharField(_("environment"), max_length=16, choices=Environment, default=Environment.PRODUCTION)
    enabled = models.BooleanField(_("enabled"), default=True)
    comment = models.TextField(_("comment"), blank=True, help_text=_("Only shown to administrators."))
    client_id = models.CharField(_("client id"), max_length=255, validators=[client_id_characters])
    client_secret = SecretField(_("client secret"), blank=True)
    token_endpoint_auth_method = models.CharField(
        _("token endpoint authentication"),
        max_length=32,
        choices=TokenEndpointAuthMethod,
        default=TokenEndpointAuthMethod.CLIENT_SECRET_POST,
    )
    scope = models.CharField(_("scopes"), max_length=255, default="openid scope_all", validators=[validate_scope])
    acr_values = models.CharField(
        _("requested ACR"), max_length=255, default="eidas2", blank=True, validators=[space_separated]
    )
    accepted_acr_values = models.CharField(
        _("ACR accepted on return"),
        max_length=255,
        blank=True,
        validators=[space_separated],
        help_text=_("Empty: any. Otherwise a sign-in whose acr is absent or not among these values is refused."),
    )
    prompt = models.CharField(_("prompt"), max_length=32, choices=Prompt, blank=True)
    max_age = models.PositiveIntegerField(
        _("maximum age of the authentication (seconds)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(30 * 24 * 3600)],
        help_text=_(
            "Empty: not requested. Otherwise Pro Santé Connect must return the time of the authentication, and it "
            "is checked."
        ),
    )
    require_iss = models.CharField(
        _("require iss in the response"), max_length=16, choices=RequireIssuer, default=RequireIssuer.ANNOUNCED
    )
    display = models.CharField(
        _("display"), max_length=8, choices=Display, blank=True, help_text=_("Empty: not requested.")
    )
    ui_locales = models.CharField(
        _("languages of the provider's pages"),
        max_length=100,
        blank=True,
        validators=[language_tags],
        help_text=_(
            "Such as “fr en”, the preferred one first; “auto”: the language of the page. Empty: not requested."
        ),
    )
    extra_parameters = models.JSONField(
        _("extra parameters"), default=dict, blank=True, validators=[validate_extra_parameters]
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
    metadata_followed = models.BooleanField(
        _("follow the published metadata"),
        default=True,
        help_text=_(
            "Once a day, a sign-in compares the metadata with what the provider publishes and saves the changes, "
            "but never another issuer or another host for the client secret. Off: it only changes on this page."
        ),
    )
    create_unknown_users = models.BooleanField(
        _("create unknown users"),
        default=True,
        help_text=_("Off: only people who have an account here, or are found by the site's own code, can sign in."),
    )
    link_user_field = models.CharField(
        _("field of the user with the RPPS number"),
        max_length=100,
        blank=True,
        validators=[validate_link_field],
        help_text=_(
            "Links a first sign-in to the only user who has the person's RPPS number in this field. Only "
            "administrators should be able to change that field. Empty: never."
        ),
    )
    link_privileged_users = models.BooleanField(
        _("link staff and superusers too"),
        default=False,
        help_text=_("Off: a first sign-in that matches such a user is refused."),
    )
    ask_activity = models.CharField(
        _("ask which activity people sign in for"),
        max_length=8,
        choices=AskActivity,
        default=AskActivity.SEVERAL,
        help_text=_("A professional may have several practices and activities."),
    )
    others_may_sign_in = models.BooleanField(
        _("users no rule matches may sign in"),
        default=True,
        help_text=_("Applies to people whom no access rule allows or refuses."),
    )
    refusal_message = models.CharField(
        _("message for users no rule matches"),
        max_length=500,
        blank=True,
        help_text=_("Shown if they may not sign in."),
    )
    contact = models.CharField(
        _("contact shown on refusal"),
        max_length=255,
        blank=True,
        help_text=_("An e-mail address, or a sentence such as “the medical secretariat, extension 12”."),
    )
    button_text = models.CharField(
        _("button text"), max_length=100, blank=True, help_text=_("Empty: “Sign in with Pro Santé Connect”.")
    )
    button_tooltip = models.CharField(
        _("tooltip"),
        max_length=255,
        blank=True,
        help_text=_("Shown when the pointer is over the button, and read by screen readers. Empty: none."),
    )
    translations = models.JSONField(
        _("in other languages"), default=dict, blank=True, validators=[validate_translations]
    )
    button_logo = models.CharField(
        _("button logo"),
        max_length=255,
        blank=True,
        validators=[validate_static_path],
        help_text=_("Path of a static file, such as the official logo from ANS. Empty: our own drawing."),
    )
    sort_order = models.PositiveSmallIntegerField(
        _("sort order"),
        default=100,
        help_text=_("If a site has several providers, the one with the smallest number comes first."),
    )

    objects = ProviderQuerySet.as_manager()

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ("sort_order", "slug")
        # Its updates raise the version.
        base_manager_name = "objects"
        permissions = (
            ("replace_provider_secrets", _("Can replace the client secret, the signing keys and their origin")),
            ("view_claims", _("Can see the claims of a person")),
        )

    @override
    def __str__(self) -> str:
        return f"{self.slug} – {self.get_environment_display()}"

    @property
    def fetch_times(self) -> ProviderFetchTimes:
        """The row of the times, created when it is first needed."""
        if not hasattr(self, "stored_fetch_times"):
            model: Any = self._meta.get_field("stored_fetch_times").related_model
            self.stored_fetch_times, _is_new = model.objects.using(self._state.db).get_or_create(provider=self)
        return self.stored_fetch_times

    @override
    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        if kwargs.get("fields") is None:
            self.__dict__.pop("key_rows", None)

    @property
    def parsed_metadata(self) -> ProviderMetadata:
        """Raises MetadataError (OpenID Connect Discovery 1.0 section 3)."""
        return parse_metadata(
            self.metadata,
            allow_loopback_http=conf.allow_loopback_http(),
            extra_hosts=conf.extra_endpoint_hosts(),
            sibling_hosts=bool(environment_of_issuer(self.issuer)),
        )

    @property
    def issuer(self) -> str:
        return str(self.metadata.get("issuer", "")) if isinstance(self.metadata, dict) else ""

    @classmethod
    def of_issuer(cls, issuer: str) -> list[Provider]:
        """Return all declarations of an issuer, enabled or not: they lead to the same accounts."""
        # Compared in Python: databases compare JSON in different ways.
        return [each for each in cls.objects.order_by("pk") if issuer and each.issuer == issuer]

    @property
    def secret_recipient(self) -> Recipient:
        """The issuer and the origin of the token endpoint: the client secret is encrypted for them."""
        return secret_recipient(self.metadata)

    def secret_for_its_issuer(self) -> str:
        """Return the client secret, to be sent to this issuer. Raises SecretUnavailable."""
        secret = self.client_secret.reveal(self.secret_recipient)
        if not secret_allowed_for_issuer(self.issuer, self.client_secret):
            raise SecretUnavailable("secret_reference_not_for_issuer")
        return secret

    def credentials(self) -> ClientCredentials:
        """Return the client credentials for the token endpoint. Raises SecretUnavailable."""
        return ClientCredentials(
            client_id=self.client_id,
            client_secret=self.secret_for_its_issuer(),
            method=self.token_endpoint_auth_method,
        )

    @cached_property
    def key_rows(self) -> list[SigningKey]:
        """The signing keys of the provider, read once; of an unsaved provider those that were assigned here."""
        return [*self.signing_keys.all()] if self.pk else []

    @property
    def jwks(self) -> dict[str, Any]:
        """The stored keys as a key set (RFC 7517), with those that cannot be used; {} where there are none."""
        return jwks_of(self.key_rows)

    @property
    def jwks_pinned(self) -> list[str]:
        return thumbprints(self.key_rows, SigningKey.State.PINNED)

    @property
    def jwks_retired(self) -> list[str]:
        return thumbprints(self.key_rows, SigningKey.State.RETIRED)

    def key_set(self) -> KeySet:
        """Return the keys that verify signatures; the retired ones are ignored."""
        return key_set_of(self.key_rows)

    def in_language(self, name: str) -> str:
        """Return ``button_text`` or ``button_tooltip`` in the active language or its base, else the default."""
        language = (get_language() or "").lower()
        for code in (language, language.partition("-")[0]):
            if text := self.translations.get(code, {}).get(name):
                return str(text)
        return str(getattr(self, name))
