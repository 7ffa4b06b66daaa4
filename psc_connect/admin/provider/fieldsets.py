"""The fieldsets of the provider's two forms."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from psc_connect.providers.validation import LINKING

ADD_FIELDSETS = (
    (None, {"fields": ("environment", "client_id", "client_secret", "acr_values", "enabled")}),
    (_("From test to production"), {"fields": ("like",), "classes": ("collapse",)}),
    (
        _("Provider other than Pro Santé Connect"),
        {"fields": ("discovery_url", "metadata"), "classes": ("collapse",)},
    ),
)
CHANGE_FIELDSETS = (
    (
        None,
        {
            "fields": (
                "environment",
                "enabled",
                "slug",
                "client_id",
                "client_secret",
                "token_endpoint_auth_method",
                "comment",
            )
        },
    ),
    (
        _("Request to Pro Santé Connect"),
        {
            "fields": (
                "scope",
                "acr_values",
                "accepted_acr_values",
                "prompt",
                "max_age",
                "require_iss",
                "display",
                "ui_locales",
                "extra_parameters",
            )
        },
    ),
    (_("Users"), {"fields": ("create_unknown_users", *LINKING, "ask_activity", "mapping", "access_rules")}),
    (_("Signing keys"), {"fields": ("signing_keys", "id_token_signed_response_alg", "userinfo_signed_response_alg")}),
    (_("Provider metadata"), {"fields": ("metadata", "metadata_followed")}),
    (
        _("Button"),
        {
            "fields": (
                "button_text",
                "button_texts",
                "button_tooltip",
                "button_tooltips",
                "button_logo",
            ),
            "classes": ("collapse",),
        },
    ),
    (_("If several providers are enabled"), {"fields": ("sort_order", "rules"), "classes": ("collapse",)}),
)
