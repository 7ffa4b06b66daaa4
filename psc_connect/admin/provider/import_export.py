"""The pages that export and import providers as JSON, for example from test to production."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from typing_extensions import override

from psc_connect.admin import edit_conflicts
from psc_connect.admin.base import AdminPage, ProviderPage, administrator
from psc_connect.admin.history import shown_difference
from psc_connect.admin.json_field import JSON_ATTRIBUTES
from psc_connect.admin.provider.import_rights import problems_for
from psc_connect.admin.provider.same_issuer import NOT_CONFIRMED, confirmation, explain_disagreements, is_confirmed
from psc_connect.admin.reauthentication import may_replace, why_not
from psc_connect.admin.signed_payloads import PayloadExpired, read_signed_payload, sign_payload, tell_expired
from psc_connect.administrator_messages import load_json
from psc_connect.claims.budget import TooSlow
from psc_connect.configuration.apply import apply_plans, import_missing_keys
from psc_connect.configuration.file_format import declarations_of
from psc_connect.configuration.planning import make_plans
from psc_connect.configuration.problems import ConfigurationError, Problem
from psc_connect.contrib.lemonldap.conversion import convert, is_lemonldap, provider_settings
from psc_connect.fields import StoredSecret
from psc_connect.models import DeclarationChange
from psc_connect.providers.serialization import exported

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest

    from psc_connect.configuration.plan import Plan
    from psc_connect.models import Provider
    from psc_connect.providers.same_issuer import Disagreement

SOURCE = DeclarationChange.Source.ADMIN
MAX_BYTES = 4 * 1024 * 1024
# What is shown travels through the page; a form may be 2.5 MB, and sealing adds a third.
MAX_CHARACTERS = 1024 * 1024


class ExportPage(ProviderPage):
    """Downloads the provider as a file without its secret."""

    name = "export"
    permission = "view"

    def get(self, _request: HttpRequest) -> HttpResponse:
        text = json.dumps(exported([self.provider]), ensure_ascii=False, indent=2)
        headers = {"Content-Disposition": f'attachment; filename="{self.provider.slug}.json"'}
        return HttpResponse(text + "\n", content_type="application/json", headers=headers)


class NotConfirmed(Exception):
    """The differences of two declarations of one issuer are not confirmed."""


def disagreements_of(plans: list[Plan]) -> list[Disagreement]:
    return [each for plan in plans for each in plan.disagreements]


def _kind_of_payload(request: HttpRequest) -> str:
    """What is accepted was looked at by the same administrator."""
    return f"import by {request.user.pk}"


def may_import(model_admin: ModelAdmin[Provider], request: HttpRequest) -> bool:
    """Return whether the user may add and change providers: a file may do both."""
    return model_admin.has_add_permission(request) and model_admin.has_change_permission(request)


class ImportForm(forms.Form):
    """A file of ours, or of LemonLDAP::NG."""

    file = forms.FileField(label=_("File"), required=False)
    text = forms.CharField(
        label=_("Or its content"),
        required=False,
        widget=AdminTextareaWidget(attrs={**JSON_ATTRIBUTES, "rows": 8}),
    )

    @override
    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        uploaded, text = self.cleaned_data.get("file"), self.cleaned_data.get("text", "")
        if self.files.get("file") and self.data.get("text", "").strip():
            self.errors.clear()
            self.add_error("file", ValidationError(_("Choose a file or paste its content, not both."), "given_twice"))
        elif not uploaded and not text and not self.errors:
            self.add_error("file", ValidationError(_("Choose a file or paste its content."), code="required"))
        elif uploaded and uploaded.size > MAX_BYTES:
            self.add_error("file", ValidationError(_("The file is larger than 4 MB."), code="import_too_large"))
        elif len(text) > MAX_BYTES:
            self.add_error("text", ValidationError(_("This is longer than 4 MB."), code="import_too_large"))
        elif uploaded or text:
            self._read("file" if uploaded else "text", uploaded.read() if uploaded else text)
        return self.cleaned_data

    @sensitive_variables()
    def _read(self, name: str, content: str | bytes) -> None:
        try:
            self.cleaned_data["document"] = _parsed(content)
        except ValidationError as exc:
            self.add_error(name, exc)


@sensitive_variables()
def _parsed(content: str | bytes) -> object:
    try:
        document = load_json(content.decode() if isinstance(content, bytes) else content)
    except UnicodeDecodeError:
        raise ValidationError(_("This is not text in UTF-8."), code="import_not_text") from None
    if is_lemonldap(document):
        document = provider_settings(document)
    if len(json.dumps(document)) > MAX_CHARACTERS:
        raise ValidationError(_("Its part about providers is larger than 1 MB."), code="import_too_large")
    return document


@method_decorator(sensitive_post_parameters("text", "payload"), name="dispatch")
class ImportPage(AdminPage):
    """Reads a configuration, previews the changes, and applies them when they are accepted."""

    name = "import"
    template_name = "admin/psc_connect/provider/import.html"
    title = _("Import a configuration")

    def get(self, request: HttpRequest) -> HttpResponse:
        self._check_rights(request)
        return self._show(request, form=ImportForm())

    def _show(self, request: HttpRequest, **context: Any) -> HttpResponse:
        return self.render(
            request,
            **{"problems": [], "plans": [], "notes": [], "payload": "", "why_not": "", "differences": "", **context},
        )

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        self._check_rights(request)
        if "payload" in request.POST:
            return self._accept(request)
        form = ImportForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._show(request, form=form)
        document = form.cleaned_data["document"]
        try:
            return self._show_changes(request, document, form)
        except ConfigurationError as exc:
            return self._show(request, form=form, problems=exc.problems)

    def _check_rights(self, request: HttpRequest) -> None:
        if not may_import(self.model_admin, request):
            raise PermissionDenied

    @sensitive_variables()
    def _show_changes(self, request: HttpRequest, document: object, form: ImportForm) -> HttpResponse:
        plans, notes = planned(document)
        problems, found = problems_for(request, plans), disagreements_of(plans)
        return self._show(
            request,
            plans=[] if problems else [shown_plan(plan, told=may_replace(request)) for plan in plans],
            problems=problems,
            notes=notes,
            why_not=why_not(request),
            differences="" if problems or not found else explain_disagreements(request, found),
            confirmation=confirmation(request, found),
            payload=""
            if problems
            else sign_payload(_kind_of_payload(request), {"document": document, "shown": digest_of(plans)}),
            form=form if problems else ImportForm(),
        )

    @sensitive_variables()
    def _accept(self, request: HttpRequest) -> HttpResponse:
        if reason := why_not(request):
            messages.error(request, reason)
            return HttpResponseRedirect(self.url("import"))
        by = administrator(request)
        try:
            plans = self._accepted(request)
            apply_plans(plans, source=SOURCE, by=by)
        except PayloadExpired:
            tell_expired(request)
        except NotConfirmed:
            messages.error(request, NOT_CONFIRMED)
        except ConfigurationError:
            text = gettext("What was shown is no longer up to date: nothing has been saved. Please start again.")
            messages.error(request, text)
        else:
            for provider, reason in import_missing_keys(plans, source=SOURCE, by=by):
                text = gettext(
                    "The keys of %(slug)s could not be imported: the first sign-in will try again. %(reason)s"
                )
                messages.warning(request, text % {"slug": provider.slug, "reason": reason})
            messages.success(request, gettext("The configuration has been imported."))
            return HttpResponseRedirect(self.url("changelist"))
        return HttpResponseRedirect(self.url("import"))

    @sensitive_variables()
    def _accepted(self, request: HttpRequest) -> list[Plan]:
        """Return the plans that the page has shown. Raises ConfigurationError where they have changed."""
        payload = read_signed_payload(_kind_of_payload(request), request.POST["payload"])
        plans, _notes = planned(payload["document"])
        problems = problems_for(request, plans)
        if problems or digest_of(plans) != payload["shown"]:
            raise ConfigurationError(*problems)
        if not is_confirmed(request, disagreements_of(plans)):
            raise NotConfirmed
        return plans


@sensitive_variables()
def planned(document: object) -> tuple[list[Plan], list[dict[str, str]]]:
    """Return the plans of a document of either kind, and what of it cannot follow. Raises ConfigurationError."""
    try:
        return _planned(document)
    except TooSlow:
        text = gettext(
            "Not read to its end: this page has used all its steps. Import fewer declarations or rows at once."
        )
        raise ConfigurationError(Problem("", text)) from None


@sensitive_variables()
def _planned(document: object) -> tuple[list[Plan], list[dict[str, str]]]:
    if not is_lemonldap(document):
        return make_plans(declarations_of(document)), []
    converted = convert(document)
    secrets = {
        str(each.declaration["slug"]): each.secret for each in converted if isinstance(each.secret, StoredSecret)
    }
    notes = [
        {"slug": str(each.declaration["slug"]), "name": note.name, "text": note.text}
        for each in converted
        for note in each.notes
    ]
    return make_plans([each.declaration for each in converted], secrets), notes


def digest_of(plans: list[Plan]) -> str:
    return edit_conflicts.digest(
        [[plan.provider.slug, [[each.name, each.old, each.new] for each in plan.diff]] for plan in plans]
    )


def shown_plan(plan: Plan, *, told: bool) -> dict[str, Any]:
    """Put a plan into words; ``told``: also whether its secret is another one than the one that is kept."""
    secret = plan.secret_description
    # Otherwise an administrator could guess the secret until the page says that it does not differ.
    if plan.has_secret and not told:
        secret = gettext("given: only those with the permission to replace it see whether it differs")
    return {
        "slug": plan.provider.slug,
        "is_new": plan.is_new,
        "diff": [shown_difference(difference) for difference in plan.shown_differences],
        "secret": secret,
        "waits_for_secret": plan.waits_for_secret,
    }
