"""The provider's pages: declare, change, and the two buttons that call the provider."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from django.utils.translation import override as language
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from typing_extensions import override

from psc_connect import declaration, keys
from psc_connect.admin import buttons
from psc_connect.admin.declared import declared_addresses
from psc_connect.admin.forms import ChangeForm, DeclarationForm
from psc_connect.admin.keys_table import keys_state, keys_table
from psc_connect.admin.mapping import ExportedAttributeInline, creation_is_impossible
from psc_connect.models import Provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern
    from django.utils.safestring import SafeString

    _ModelAdmin = admin.ModelAdmin[Provider]
else:
    _ModelAdmin = admin.ModelAdmin

ADD_FIELDSETS = (
    (None, {"fields": ("environment", "client_id", "client_secret", "acr_values", "enabled")}),
    (
        _("Another provider than Pro Santé Connect"),
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
            )
        },
    ),
    (
        _("What is asked of Pro Santé Connect"),
        {"fields": ("scope", "acr_values", "accepted_acr_values", "prompt", "max_age", "require_iss")},
    ),
    (_("Users"), {"fields": ("create_unknown_users",)}),
    (_("Button"), {"fields": ("button_text", "button_logo"), "classes": ("collapse",)}),
    (_("Provider metadata"), {"fields": ("metadata", "discovery")}),
    (
        _("Signing keys"),
        {
            "fields": (
                "signing_keys",
                "import_button",
                "jwks_pinned",
                "jwks_document",
                "jwks_file",
                "id_token_signed_response_alg",
                "userinfo_signed_response_alg",
            )
        },
    ),
)
# What is of no use to somebody who may only look.
ONLY_TO_CHANGE = ("jwks_document", "jwks_file", "discovery", "import_button")

# Translated where the history is shown, as all that Django keeps there.
SECRET_REPLACED = gettext_noop("client secret (replaced)")

sensitive = method_decorator(sensitive_post_parameters("client_secret", "jwks_document"))


@admin.register(Provider)
class ProviderAdmin(_ModelAdmin):
    list_display = ("slug", "environment", "enabled", "state_of_keys")
    inlines = (ExportedAttributeInline,)
    readonly_fields = ("discovery", "signing_keys", "import_button")

    class Media:
        css = {"all": ("psc_connect/admin.css",)}  # noqa: RUF012

    @admin.display(description=_("signing keys"))
    def state_of_keys(self, provider: Provider) -> str:
        return keys_state(provider)

    @admin.display(description=_("Discovery URL"))
    def discovery(self, provider: Provider) -> SafeString:
        url = buttons.default_discovery_url(provider)
        return render_to_string("admin/psc_connect/provider/discovery.html", {"discovery_url": url})

    @admin.display(description=_("keys"))
    def signing_keys(self, provider: Provider) -> SafeString:
        context = {"provider": provider, "table": keys_table(provider)}
        return render_to_string("admin/psc_connect/provider/signing_keys.html", context)

    @admin.display(description=_("import from the provider"))
    def import_button(self, _provider: Provider) -> SafeString:
        return render_to_string("admin/psc_connect/provider/import_keys.html")

    @override
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = DeclarationForm if obj is None else ChangeForm
        return super().get_form(request, obj, change, **{"form": form, **kwargs})

    @override
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ADD_FIELDSETS
        if self.has_change_permission(request, obj):
            return CHANGE_FIELDSETS
        return tuple(
            (
                name,
                {
                    **options,
                    "fields": tuple(each for each in options["fields"] if each not in ONLY_TO_CHANGE),
                },
            )
            for name, options in CHANGE_FIELDSETS
        )

    @override
    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return () if obj is None else self.inlines

    @override
    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<path:object_id>/fetch-metadata/",
                self.admin_site.admin_view(self.fetch_metadata_view),
                name="psc_connect_provider_fetch_metadata",
            ),
            path(
                "<path:object_id>/import-keys/",
                self.admin_site.admin_view(self.import_keys_view),
                name="psc_connect_provider_import_keys",
            ),
            *super().get_urls(),
        ]

    @override
    @sensitive
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    @override
    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        provider = context["original"]
        if provider is not None:
            context["declared"] = declared_addresses(request, provider)
            context["creation_is_impossible"] = creation_is_impossible(provider)
            context["may_change"] = self.has_change_permission(request, provider)
        return super().render_change_form(request, context, *args, **kwargs)

    @override
    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        if not change:
            obj.slug = declaration.unused_slug(obj.environment)
            obj.save()
            declaration.add_default_attributes(obj)
            self._import_keys_afterwards(request, obj)
            return
        # Keys that a login fetched since this page was shown stay: only what was changed here is written.
        changed = {field.name for field in Provider._meta.concrete_fields} & set(form.changed_data)
        if form.given_keys is not None:
            buttons.report_keys(request, keys.set_keys(obj, form.given_keys))
            changed |= set(keys.KEY_FIELDS)
        elif "metadata" in changed:
            if form.issuer_before != obj.issuer:
                keys.forget_keys(obj)
                changed |= set(keys.KEY_FIELDS)
            if not obj.jwks or not obj.jwks_pinned:
                self._import_keys_afterwards(request, obj)
        if "jwks_pinned" in changed:
            keys.supersede_fetch(obj)
            changed.add("jwks_fetch_began_at")
        obj.save(update_fields=changed)

    @override
    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        message = super().construct_change_message(request, form, formsets, add)
        # Django keeps labels untranslated and translates them where the history is shown.
        with language(None):
            label = str(form.fields["client_secret"].label) if "client_secret" in form.changed_data else None
        for entry in message:
            fields = entry.get("changed", {}).get("fields", [])
            if label in fields:
                fields[fields.index(label)] = SECRET_REPLACED
        return message

    def _import_keys_afterwards(self, request: HttpRequest, provider: Provider) -> None:
        # No transaction is open while a provider is waited for.
        transaction.on_commit(lambda: buttons.import_keys(request, Provider.objects.get(pk=provider.pk)))

    @override
    def response_post_save_add(self, request: HttpRequest, obj: Provider) -> HttpResponseRedirect:
        """Go on to the page that says what to declare to ANS."""
        if not self.has_view_or_change_permission(request, obj):
            return super().response_post_save_add(request, obj)
        return self._back_to(obj)

    @method_decorator([transaction.non_atomic_requests, require_POST])
    def fetch_metadata_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        url = request.POST.get("discovery_url", "").strip()
        return self._press(request, object_id, "provider metadata", partial(buttons.fetch_metadata, discovery_url=url))

    @method_decorator([transaction.non_atomic_requests, require_POST])
    def import_keys_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._press(request, object_id, "signing keys (JWKS)", buttons.import_keys)

    def _press(
        self, request: HttpRequest, object_id: str, what: str, button: Callable[[HttpRequest, Provider], bool]
    ) -> HttpResponse:
        provider = self.get_object(request, object_id)
        if provider is None:
            raise Http404
        if not self.has_change_permission(request, provider):
            raise PermissionDenied
        if button(request, provider):
            # In the form that Django's own history entries have, so that it is translated when it is shown.
            self.log_change(request, provider, [{"changed": {"fields": [what]}}])
        return self._back_to(provider)

    def _back_to(self, provider: Provider) -> HttpResponseRedirect:
        name = "admin:psc_connect_provider_change"
        return HttpResponseRedirect(reverse(name, args=[provider.pk], current_app=self.admin_site.name))
