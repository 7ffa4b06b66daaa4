"""The page of the access rules of a provider: rows, and a preview of them before they are saved."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from typing_extensions import override

from psc_connect.access.groups import users_have_groups
from psc_connect.access.rules import rules_of
from psc_connect.admin import edit_conflicts
from psc_connect.admin.access.code_search import labels_with_codes
from psc_connect.admin.access.forms import OthersForm, PreviewForm, fields_of, initial_rule, rule_formset
from psc_connect.admin.access.preview import MAX_ACCOUNTS, RuleSet
from psc_connect.admin.base import VIEW_CLAIMS, administrator, may_change_users
from psc_connect.admin.formset_page import RowsPage
from psc_connect.admin.masking import masker
from psc_connect.admin.rights import WHY_NOT_GIVING, WHY_NOT_RULES, disable_groups, why_not_groups
from psc_connect.admin.sentences import others_in_words, rule_in_words
from psc_connect.dry_run import run
from psc_connect.professional.userinfo import read_userinfo
from psc_connect.providers.serialization import serialize_rows, stored_rows
from psc_connect.providers.validation import changes_group_grants, give_groups, groups_given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse, QueryDict

    from psc_connect.admin.access.preview import AccountCounts, PersonPreview
    from psc_connect.models import Provider

RULES = "access_rules"
# Every name of the template: where one is missing, Django logs all the others, claims included.
NO_PREVIEW: dict[str, Any] = {
    "people": [],
    "counts": None,
    "counts_in_words": "",
    "refused": (),
    "must_confirm": "",
    "wrong": [],
}


@method_decorator(sensitive_post_parameters("pasted"), name="dispatch")
class AccessPage(RowsPage):
    """A preview takes the right to view the provider; saving takes the right to change it."""

    name = "access_rules"
    title = _("Access rules")
    template_name = "admin/psc_connect/provider/access_rules.html"
    lists = (RULES,)
    fields = ("others_may_sign_in", "refusal_message", "contact")
    saved = _("The access rules are saved: they apply from the next sign-in on.")

    def get(self, request: HttpRequest) -> HttpResponse:
        stored = rules_of(self.provider)
        return self._show(
            request,
            rule_formset(initial=[initial_rule(rule) for rule in stored]),
            OthersForm(instance=self.provider),
            PreviewForm(initial={"acr": self.provider.acr_values.partition(" ")[0]}),
            remarks=list(RuleSet(self.provider, stored).remarks()),
        )

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        data = self._with_disabled_inputs(request)
        sent = rule_formset(data)
        # A copy, since the form writes the typed values into it.
        others = OthersForm(data, instance=copy.copy(self.provider))
        preview = PreviewForm(request.POST)
        is_valid = all([sent.is_valid(), others.is_valid()])
        if not is_valid and {"_save", "_preview"} & {*request.POST}:
            wrong = _wrong(sent, others) if "_save" in request.POST else []
            return self._show(request, sent, others, preview, wrong=wrong)
        # As long as nothing is wrong, the rows are shown without those to delete, and with room for more.
        shown = rule_formset(initial=sent.shown_rows, extra=2 if "_add" in request.POST else 1)
        if not is_valid:
            return self._show(request, shown, others, preview)
        self.values = {name: others.cleaned_data[name] for name in self.fields}
        typed = RuleSet(others.instance, sent.rows)
        if "_save" in request.POST:
            context = self._save(request, typed, _acr(preview))
            if not context:
                return self.to(self.name)
        else:
            context = self._preview(request, typed, preview) if "_preview" in request.POST else {}
        return self._show(request, shown, others, preview, remarks=list(typed.remarks()), **context)

    def _save(self, request: HttpRequest, typed: RuleSet, acr: str) -> dict[str, Any]:
        """Save valid rows; return what the page shows where that is not possible yet, else an empty dictionary."""
        if not self.model_admin.has_change_permission(request, self.provider):
            raise PermissionDenied
        rows: list[Any] = list(typed.rules)
        # A refused change is not to be confirmed.
        if why := self._why_not_save(request, serialize_rows(RULES, rows)):
            return _refused(why)
        counts = typed.count_accounts(acr)
        confirmation = edit_conflicts.digest([serialize_rows(RULES, rows), self.values])
        if counts.refuses_all and request.POST.get("confirmed") != confirmation:
            return {"counts": counts, "counts_in_words": _in_words(counts), "must_confirm": confirmation}
        return self.save(request, {RULES: rows})

    @override
    def problem(self, request: HttpRequest, rows: dict[str, list[Model]]) -> dict[str, Any]:
        why = self._why_not_save(request, serialize_rows(RULES, rows[RULES]))
        return _refused(why) if why else super().problem(request, rows)

    def _why_not_save(self, request: HttpRequest, wanted: list[dict[str, Any]]) -> str:
        """Explain why this administrator may not save these rules and the last line, or return ""."""
        present = self.present()
        changes_groups = changes_group_grants(present[RULES], wanted)
        if self.values["others_may_sign_in"] != present["others_may_sign_in"]:
            changes_groups = changes_groups or give_groups(wanted)
        if changes_groups and not may_change_users(request):
            return str(WHY_NOT_RULES if give_groups(present[RULES]) else WHY_NOT_GIVING)
        return why_not_groups(administrator(request), groups_given(present, {**self.values, RULES: wanted}))

    def _why_not_groups(self, request: HttpRequest, rules: Any) -> str:
        """Say beside the rows what this administrator may not change; return "" for those who only view."""
        if not self.model_admin.has_change_permission(request, self.provider) or not Group.objects.exists():
            return ""
        if may_change_users(request):
            return disable_groups(administrator(request), rules)
        return str(WHY_NOT_RULES if self._are_rules_locked(request) else WHY_NOT_GIVING)

    def _are_rules_locked(self, request: HttpRequest) -> bool:
        """Return whether this administrator may change the page's texts only, since a stored rule gives a group."""
        may_change = self.model_admin.has_change_permission(request, self.provider)
        return may_change and not may_change_users(request) and give_groups(stored_rows(self.provider, RULES))

    def _with_disabled_inputs(self, request: HttpRequest) -> QueryDict:
        """Return what was sent, with the stored values of the inputs that a browser does not send: disabled ones."""
        if "rules-TOTAL_FORMS" in request.POST or not self._are_rules_locked(request):
            return request.POST
        data = request.POST.copy()
        stored = rule_formset(initial=[initial_rule(rule) for rule in rules_of(self.provider)])
        for field in fields_of(stored):
            value = field.value()
            data.setlist(field.html_name, value if isinstance(value, list) else ["" if value is None else str(value)])
        data.setdefault("others_may_sign_in", str(self.provider.others_may_sign_in))
        return data

    @sensitive_variables()
    def _preview(self, request: HttpRequest, rules: RuleSet, preview: PreviewForm) -> dict[str, Any]:
        if not preview.is_valid():
            return {}
        people = {"people": list(self._people(request, rules, preview))}
        # A count of refused accounts answers any question that a rule can ask about them: a right to see is needed.
        may_see_claims = request.user.has_perm(VIEW_CLAIMS)
        if not (may_see_claims or self.model_admin.has_change_permission(request, self.provider)):
            return people
        counts = rules.count_accounts(_acr(preview))
        refused = counts.shown if may_see_claims else ()
        return {**people, "counts": counts, "counts_in_words": _in_words(counts), "refused": refused}

    @sensitive_variables()
    def _people(self, request: HttpRequest, rules: RuleSet, preview: PreviewForm) -> Iterator[PersonPreview]:
        if claims := preview.cleaned_data["pasted"]:
            yield rules.person(gettext("The userinfo pasted below"), read_userinfo(claims), acr=_acr(preview))
        found = run.last_run(request, self.provider) if request.user.has_perm(VIEW_CLAIMS) else None
        if found and found.claims:
            acr = str(found.id_token_claims.get("acr", ""))
            professional, shown = read_userinfo(found.claims), masker(found.claims)
            yield rules.person(gettext("My last dry run"), professional, acr=acr, shown=shown)
        yield from rules.samples(_acr(preview))

    @sensitive_variables()
    def _show(
        self, request: HttpRequest, rules: Any, others: OthersForm, preview: PreviewForm, **context: Any
    ) -> HttpResponse:
        # Before the page is rendered: it says at its top if the budget was used up.
        rules.search_all()
        are_locked = self._are_rules_locked(request)
        others.fields["others_may_sign_in"].widget.attrs["disabled"] = are_locked
        return self.render(
            request,
            rules=rules,
            others=others,
            preview=preview,
            labels_with_codes=labels_with_codes(),
            users_have_groups=users_have_groups(),
            are_rules_locked=are_locked,
            max_accounts=MAX_ACCOUNTS,
            **{**NO_PREVIEW, "remarks": [], "why_not_groups": self._why_not_groups(request, rules), **context},
        )


def _refused(why: str) -> dict[str, str]:
    """Return what the page says, once."""
    return {"problem": why, "why_not_groups": ""}


def _acr(preview: PreviewForm) -> str:
    return str(preview.cleaned_data.get("acr", "")) if preview.is_valid() else ""


def _wrong(rules: Any, others: OthersForm) -> list[tuple[str, str]]:
    """Return (id on the page, name) of each part with an error."""
    rows = [
        (f"row-{number}", gettext("Row %(number)s") % {"number": number})
        for number, form in enumerate(rules, start=1)
        if not (form.is_valid() or form.is_to_delete)
    ]
    return rows if others.is_valid() else [*rows, ("others", gettext("Last line"))]


def _in_words(counts: AccountCounts) -> str:
    """Say how many of the known accounts would be refused."""
    if counts.denies_everyone:
        return gettext("No one could sign in any longer.")
    if not counts.known:
        return gettext("No professional data are known yet: they are stored from the first sign-in on.")
    if counts.refuses_all:
        text = gettext("Every known account would be refused (%(known)s).")
    elif not counts.refused:
        text = gettext("No known account would be refused (of %(known)s).")
    else:
        text = ngettext(
            "%(refused)s of %(known)s known accounts would be refused.",
            "%(refused)s of %(known)s known accounts would be refused.",
            counts.refused,
        )
    words = text % {"refused": counts.refused, "known": counts.known}
    if not counts.is_partial:
        return words
    partial = gettext("These are the first %(known)s accounts only: this page has reached its limit of work.")
    return f"{words} {partial % {'known': counts.known}}"


def summary(provider: Provider) -> list[str]:
    """Return the rules and the last line as sentences, for the provider's form."""
    others = others_in_words(may_sign_in=provider.others_may_sign_in, message=provider.refusal_message)
    return [*map(rule_in_words, stored_rows(provider, RULES)), others]
