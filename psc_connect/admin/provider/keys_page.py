"""The page of the signing keys: the stored keys, and the preview of an import."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from typing_extensions import override

from psc_connect.admin.base import ProviderPage, administrator
from psc_connect.admin.history import DECISIONS, shown_changes
from psc_connect.admin.json_field import JSON_ATTRIBUTES, KeySetField, KeySetFileField
from psc_connect.admin.provider.same_issuer import NOT_CONFIRMED, confirmation, explain_disagreements, is_confirmed
from psc_connect.admin.reauthentication import why_not
from psc_connect.admin.signed_payloads import PayloadExpired, read_signed_payload, sign_payload, tell_expired
from psc_connect.administrator_messages import explain, form_errors_of
from psc_connect.models import Provider
from psc_connect.models.signing_key import key_set_of
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import JWKSError, MetadataError, ProviderUnavailable
from psc_connect.providers import keys
from psc_connect.providers.key_management import KeysChangedMeanwhile, accept_keys, compare_keys, decide
from psc_connect.providers.same_issuer import disagreements

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from psc_connect import models
    from psc_connect.oidc.jwks import IgnoredKey, KeySet, SigningKey
    from psc_connect.providers.same_issuer import Disagreement

PRIVATE = "jwks_key_private"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A usable key, and what is stored about it."""

    key: SigningKey
    stored: models.SigningKey

    @property
    def age(self) -> str:
        """How long it has been stored, in words; "" where that is not known."""
        since = self.stored.first_seen
        if since is None:
            return ""
        if timezone.now() - since < timedelta(minutes=1):
            return gettext("just now")
        return gettext("%(age)s ago") % {"age": timesince(since)}


@dataclass(frozen=True, slots=True)
class IgnoredRow:
    key: IgnoredKey
    reason: str


def ignored_rows(found: KeySet) -> list[IgnoredRow]:
    return [IgnoredRow(key, explain(key.reason)) for key in found.ignored]


def keys_state(provider: Provider) -> str:
    """Return, for the list of providers, whether a login would find keys."""
    usable = provider.key_set().keys
    if not usable:
        are_retired = bool(key_set_of(provider.key_rows, with_retired=True).keys)
        return gettext("all are retired") if are_retired else gettext("none yet: the first sign-in fetches them")
    text = ngettext("%(count)s key", "%(count)s keys", len(usable)) % {"count": len(usable)}
    return gettext("%(keys)s (all pinned)") % {"keys": text} if keys.are_pinned(provider) else text


def report_keys(request: HttpRequest, found: KeySet) -> None:
    """Show messages about imported keys; a published private key is an alarm."""
    text = ngettext("%(count)s signing key is now kept.", "%(count)s signing keys are now kept.", len(found.keys)) % {
        "count": len(found.keys)
    }
    messages.success(request, text)
    if found.has_private:
        messages.error(request, explain(PRIVATE))


def import_keys(request: HttpRequest, provider: Provider) -> None:
    """Import the keys of a provider after its metadata changed, and show messages; on failure the old keys stay."""
    try:
        report_keys(request, keys.import_keys(provider, by=administrator(request)))
    except (MetadataError, ProviderUnavailable, JWKSError) as exc:
        text = explain(exc.code)
        if exc.code != "jwks_uri_missing":
            told = gettext("The keys could not be imported: the first sign-in will try again. %(reason)s")
            text = told % {"reason": text}
        messages.warning(request, text)


class KeySetForm(forms.Form):
    """A key set, pasted or uploaded."""

    document = KeySetField(
        widget=AdminTextareaWidget(attrs={**JSON_ATTRIBUTES, "rows": 6}), label=_("Key set (JWKS)"), required=False
    )
    file = KeySetFileField(label=_("Key set (file)"), required=False)

    @override
    def clean(self) -> dict[str, Any]:
        given = [self.cleaned_data.get(name) for name in ("document", "file")]
        if self.data.get("document", "").strip() and self.files.get("file"):
            # The errors of either would only confuse.
            self.errors.clear()
            self.add_error(
                "file", ValidationError(_("Paste a key set or choose a file, not both."), "jwks_given_twice")
            )
        elif not any(given) and not self.errors:
            self.add_error("document", ValidationError(_("Paste a key set or choose a file."), "required"))
        return self.cleaned_data

    @property
    def given(self) -> dict[str, Any]:
        given: dict[str, Any] = self.cleaned_data["document"] or self.cleaned_data["file"]
        return given


@method_decorator(sensitive_post_parameters("document", "payload"), name="dispatch")
class KeysPage(ProviderPage):
    """Imports, accepts, pins and retires signing keys."""

    name = "keys"
    title = _("Signing keys")
    permission = "view"
    template_name = "admin/psc_connect/provider/keys.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self.model_admin.has_change_permission(request, self.provider):
            raise PermissionDenied
        if reason := why_not(request):
            messages.error(request, reason)
            return self.to(self.name)
        actions = {"fetch": self._fetch, "paste": self._paste, "accept": self._accept}
        return actions.get(request.POST.get("action", ""), self._decide)(request)

    def _show(self, request: HttpRequest, **context: Any) -> HttpResponse:
        rows = self.provider.key_rows
        shown = {
            "changes": None,
            "last_key": "",
            "used": [KeyRow(key, row) for row in rows for key in key_set_of([row], with_retired=True).keys],
            "ignored": ignored_rows(key_set_of(rows, with_retired=True)),
            "form": KeySetForm(),
            "why_not": why_not(request),
            "history": shown_changes(self.provider, only=("jwks", *DECISIONS))[:20],
        }
        return self.render(request, **{**shown, **context})

    def _fetch(self, request: HttpRequest) -> HttpResponse:
        try:
            return self._show_changes(request, keys.fetch_key_set(self.provider, Deadline(keys.IMPORT_SECONDS)))
        except (MetadataError, ProviderUnavailable, JWKSError) as exc:
            text = gettext("Nothing has been saved. %(reason)s")
            messages.error(request, text % {"reason": " ".join(ValidationError(form_errors_of(exc)).messages)})
            return self.to(self.name)

    @sensitive_variables()
    def _paste(self, request: HttpRequest) -> HttpResponse:
        form = KeySetForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._show(request, form=form)
        return self._show_changes(request, form.given, is_pasted=True, form=form)

    def _show_changes(
        self, request: HttpRequest, document: dict[str, Any], *, is_pasted: bool = False, **context: Any
    ) -> HttpResponse:
        """Preview the changes; the set that is accepted is this one, not the one published by then."""
        try:
            changes = compare_keys(self.provider, document)
        except JWKSError as exc:
            messages.error(request, explain(exc.code))
            return self._show(request, **context)
        if changes.found.has_private:
            messages.error(request, explain(PRIVATE))
        payload = sign_payload(self._kind, {"document": document, "seen": self.provider.jwks, "is_pasted": is_pasted})
        found = self._disagreements(document) if is_pasted else []
        return self._show(
            request,
            changes=changes,
            new_ignored=ignored_rows(changes.found),
            differences=explain_disagreements(request, found) if found else "",
            confirmation=confirmation(request, found),
            payload=payload,
        )

    def _disagreements(self, document: object) -> list[Disagreement]:
        """Compare pasted keys with the other declarations of the issuer. Raises JWKSError."""
        changes = compare_keys(self.provider, document)
        others = Provider.objects.exclude(pk=self.provider.pk)
        given = [key.thumbprint for key in (*changes.new, *changes.changed)]
        return disagreements(self.provider, self.provider.metadata, others, given_keys=given)

    @property
    def _kind(self) -> str:
        return f"keys of {self.provider.pk}"

    def _accept(self, request: HttpRequest) -> HttpResponse:
        try:
            accepted = read_signed_payload(self._kind, request.POST.get("payload"))
            if accepted["is_pasted"] and not is_confirmed(request, self._disagreements(accepted["document"])):
                messages.error(request, NOT_CONFIRMED)
                return self.to(self.name)
            found = accept_keys(self.provider, accepted["document"], seen=accepted["seen"], by=administrator(request))
        except PayloadExpired:
            tell_expired(request)
        except KeysChangedMeanwhile:
            text = gettext(
                "The keys have been changed meanwhile, by a sign-in, a colleague or yourself in another window. "
                "Please start again."
            )
            messages.error(request, text)
        except JWKSError as exc:
            messages.error(request, explain(exc.code))
        else:
            report_keys(request, found)
            self._log(request)
            if accepted["is_pasted"]:
                self._warn_of_the_next_fetch(request, found)
        return self.to(self.name)

    def _warn_of_the_next_fetch(self, request: HttpRequest, found: KeySet) -> None:
        are_pinned = all(key.thumbprint in self.provider.jwks_pinned for key in found.keys)
        if self.provider.metadata.get("jwks_uri") and not are_pinned:
            text = gettext(
                "Pin what you pasted: a key that the provider does not publish is removed at the next fetch."
            )
            messages.warning(request, text)

    def _log(self, request: HttpRequest) -> None:
        # For Django's list of recent actions; the audit log has the changes.
        self.model_admin.log_change(request, self.provider, [{"changed": {"fields": ["signing keys (JWKS)"]}}])

    def _decide(self, request: HttpRequest) -> HttpResponse:
        thumbprint, decision = request.POST.get("thumbprint", ""), request.POST.get("action", "")
        is_the_last = {key.thumbprint for key in self.provider.key_set().keys} == {thumbprint}
        if decision == "retire" and is_the_last and "confirmed" not in request.POST:
            return self._show(request, last_key=thumbprint)
        try:
            decide(self.provider, thumbprint, decision, by=administrator(request))
        except KeyError:
            messages.error(request, gettext("This key no longer exists. Nothing has been changed."))
            return self.to(self.name)
        self._log(request)
        done = {
            "pin": gettext("The key is pinned: it stays, whatever the provider publishes."),
            "unpin": gettext("The key is no longer pinned: it is removed when the provider withdraws it."),
            "retire": gettext("The key is retired: it no longer verifies signatures."),
            "restore": gettext("The key verifies signatures again."),
        }
        messages.success(request, done[decision])
        self.provider.refresh_from_db()
        if not self.provider.key_set().keys:
            text = gettext("No usable key is left: nobody can sign in until the provider publishes another one.")
            messages.warning(request, text)
        return self.to(self.name)
