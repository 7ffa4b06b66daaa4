"""The admin of providers, and the URLs of their other pages."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.http import HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from typing_extensions import override

from psc_connect.admin import edit_conflicts
from psc_connect.admin.access import page as access_page
from psc_connect.admin.access.page import AccessPage
from psc_connect.admin.base import (
    STYLE,
    DeclaredFilters,
    ModelAdmin,
    administrator,
    page_url,
    urls_with_pages,
)
from psc_connect.admin.history import HistoryPage
from psc_connect.admin.mapping.page import MappingPage, summary
from psc_connect.admin.provider.add_form import DeclarationForm, copy_settings
from psc_connect.admin.provider.change_form import ChangeForm
from psc_connect.admin.provider.connection_page import AcceptMetadataPage, ConnectionPage
from psc_connect.admin.provider.dry_run_page import BeginDryRunPage, DryRunPage
from psc_connect.admin.provider.fieldsets import ADD_FIELDSETS, CHANGE_FIELDSETS
from psc_connect.admin.provider.import_export import ExportPage, ImportPage, may_import
from psc_connect.admin.provider.keys_page import KeysPage, import_keys, keys_state
from psc_connect.admin.provider.move_page import MoveAccountsPage
from psc_connect.admin.provider.readonly import ReadOnlyFieldsMixin, read_only_names
from psc_connect.admin.provider.same_issuer import confirmation
from psc_connect.admin.provider.selection_rules import RulesPage
from psc_connect.admin.reauthentication import ConfirmPage
from psc_connect.backends import creation_is_impossible
from psc_connect.login.site_urls import declared_addresses
from psc_connect.models import DeclarationChange, Provider
from psc_connect.providers import audit, keys, validation

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.urls import URLPattern
    from django.utils.safestring import SafeString

PAGES = (
    ConfirmPage,
    ImportPage,
    # Of one provider, in the order of their links above the form.
    ConnectionPage,
    BeginDryRunPage,
    DryRunPage,
    MappingPage,
    AccessPage,
    RulesPage,
    KeysPage,
    ExportPage,
    AcceptMetadataPage,
    HistoryPage,
    MoveAccountsPage,
)
SOURCE = DeclarationChange.Source.ADMIN

sensitive = method_decorator(sensitive_post_parameters("client_secret"))


@admin.register(Provider)
class ProviderAdmin(ReadOnlyFieldsMixin, DeclaredFilters, ModelAdmin[Provider]):
    list_display = ("slug", "environment", "enabled", "sort_order", "state_of_keys")
    list_display_links = ("slug",)
    readonly_fields = ("mapping", "access_rules", "signing_keys", "rules", *ReadOnlyFieldsMixin.shown)

    class Media:
        css = STYLE

    @admin.display(description=_("signing keys"))
    def state_of_keys(self, provider: Provider) -> str:
        return keys_state(provider)

    @admin.display(description=_("exported attributes and groups"))
    def mapping(self, provider: Provider) -> SafeString:
        return self._summary("mapping", provider, rows=summary(provider))

    @admin.display(description=_("access rules"))
    def access_rules(self, provider: Provider) -> SafeString:
        return self._summary("access_rules", provider, rows=access_page.summary(provider))

    @admin.display(description=_("provider selection rules"))
    def rules(self, provider: Provider) -> SafeString:
        return self._summary("rules", provider, rows=provider.selection_rules.all())

    @admin.display(description=_("keys"))
    def signing_keys(self, provider: Provider) -> SafeString:
        return self._summary("keys", provider, provider=provider, state=keys_state(provider))

    def _summary(self, page: str, of: Provider, **context: Any) -> SafeString:
        """Return what another page is about, with a link to it."""
        context["url"] = page_url(self, page, of.pk)
        return render_to_string(f"admin/psc_connect/provider/{page}_summary.html", context)

    @override
    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Provider | None:
        """Lock the row for the page that saves it, so that the second of two simultaneous saves sees the first."""
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not transaction.get_connection().in_atomic_block:
            return found
        return keys.locked(found)

    @override
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = DeclarationForm if obj is None else ChangeForm
        made: Any = super().get_form(request, obj, change, **{"form": form, **kwargs})
        made.request = request
        return made

    @override
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ADD_FIELDSETS
        if self.has_change_permission(request, obj):
            return CHANGE_FIELDSETS
        return [
            (title, {**options, "fields": read_only_names(options["fields"])}) for title, options in CHANGE_FIELDSETS
        ]

    @override
    def get_urls(self) -> list[URLPattern]:
        patterns = urls_with_pages(self, PAGES, super().get_urls())
        for pattern in patterns:
            if pattern.name in ("psc_connect_provider_add", "psc_connect_provider_change"):
                pattern.callback = transaction.non_atomic_requests(pattern.callback)
        return patterns

    @override
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {"may_import": may_import(self, request), **(extra_context or {})})

    @override
    @sensitive
    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        if request.method == "POST":
            self._ask_providers_first(request, object_id)
        return super().changeform_view(request, object_id, *args, **kwargs)

    def _ask_providers_first(self, request: HttpRequest, object_id: str | None) -> None:
        """Let the form fetch what it needs: Django opens a transaction around all that comes after."""
        provider = self.get_object(request, unquote(object_id)) if object_id else None
        may = self.has_change_permission(request, provider) if provider else self.has_add_permission(request)
        if may and bool(provider) == bool(object_id):
            form = self.get_form(request, provider, change=provider is not None)
            form(request.POST, request.FILES, instance=provider).is_valid()

    @override
    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        provider = context["original"]
        context["declared"] = declared_addresses(request, provider) if provider else ()
        context["creation_is_impossible"] = provider is not None and creation_is_impossible(provider)
        context["shown_version"] = getattr(context["adminform"].form, "shown_version", "")
        form = context["adminform"].form
        context["confirmation"] = confirmation(
            request,
            [*getattr(form, "disagreements", ())],
            asks_for_secret="client_secret" in form.errors or bool(request.POST.get("client_secret")),
        )
        context["may_change"] = self.has_change_permission(request, provider)
        context["may_move_accounts"] = context["may_change"] and bool(provider) and provider.accounts.exists()
        return super().render_change_form(request, context, *args, **kwargs)

    @override
    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        form.before = audit.snapshot(obj)
        if not change:
            obj.slug = validation.unused_slug(obj.environment)
            obj.save()
            if like := form.cleaned_data.get("like"):
                copy_settings(obj, like, self, request)
            else:
                validation.add_default_attributes(obj)
            self._import_keys_afterwards(request, obj)
            return
        # Save only the changed fields, to keep what others have saved since this page was shown.
        changed = {field.name for field in Provider._meta.concrete_fields} & set(form.changed_data)
        if "metadata" in changed:
            if form.issuer_before != obj.issuer:
                # Keys of one issuer must never verify the tokens of another.
                keys.replace_keys(obj, [])
            trust_changes = validation.changes_trust(form.before.declaration["metadata"], obj.metadata)
            if not obj.jwks or (trust_changes and not keys.are_pinned(obj)):
                self._import_keys_afterwards(request, obj)
            if obj.metadata_followed and "environment" not in changed:
                text = gettext(
                    "Within a day, the metadata that the provider publishes will replace this. To keep it, turn "
                    "“Follow the published metadata” off."
                )
                messages.warning(request, text)
        obj.save(update_fields=changed)
        if "slug" in changed:
            self._tell_new_addresses(request, obj)
        if others := form.changed_meanwhile - {*form.changed_data}:
            names = ", ".join(sorted(str(form.fields[name].label) for name in others))
            text = gettext("The fields you did not change keep their new values (%(names)s).") % {"names": names}
            messages.info(request, f"{edit_conflicts.who_changed(obj, others, request=request)} {text}")

    @override
    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        audit.record_since(form.before, form.instance, source=SOURCE, by=administrator(request))

    @override
    def delete_model(self, request: HttpRequest, obj: Provider) -> None:
        with transaction.atomic():
            # A login that is fetching keys would insert them while the provider is deleted.
            keys.locked(obj)
            before = audit.snapshot(obj)
            super().delete_model(request, obj)
            audit.record_since(before, obj, source=SOURCE, by=administrator(request))

    @override
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        for provider in queryset:
            # Another administrator may have deleted it meanwhile.
            with suppress(Provider.DoesNotExist):
                self.delete_model(request, provider)

    @override
    def response_post_save_add(self, request: HttpRequest, obj: Provider) -> HttpResponseRedirect:
        """Redirect to the page that shows what to declare to ANS."""
        if not self.has_view_or_change_permission(request, obj):
            return super().response_post_save_add(request, obj)
        return HttpResponseRedirect(page_url(self, "change", obj.pk))

    def _tell_new_addresses(self, request: HttpRequest, provider: Provider) -> None:
        declared = declared_addresses(request, provider)
        text = gettext(
            "Nobody can sign in before you declare the new addresses to ANS: the redirect URI is now %(redirect)s, the "
            "post-logout URI %(logout)s."
        )
        if not declared.problem:
            told = {"redirect": declared.redirect_uri, "logout": declared.post_logout_redirect_uri}
            messages.warning(request, text % told)

    def _import_keys_afterwards(self, request: HttpRequest, provider: Provider) -> None:
        # Keep no transaction open while waiting for a provider.
        transaction.on_commit(lambda: import_keys(request, Provider.objects.get(pk=provider.pk)))
