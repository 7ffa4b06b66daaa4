"""The access rules of a provider: who may sign in, and who joins a group; tried before they are saved."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from typing_extensions import override

from psc_connect.access.groups import users_have_groups
from psc_connect.access.rules import rules_of
from psc_connect.admin import edit_conflicts
from psc_connect.admin.access.code_search import all_offered
from psc_connect.admin.access.form_state import rebuild_formset_data
from psc_connect.admin.access.forms import OthersForm, PreviewForm, initial_of, rule_form_set
from psc_connect.admin.access.preview import MAX_ACCOUNTS, RuleSet
from psc_connect.admin.base import VIEW_CLAIMS, may_change_users
from psc_connect.admin.formset_page import NO_PROBLEM, RowsPage
from psc_connect.admin.masking import masker
from psc_connect.admin.sentences import others_in_words, rule_in_words
from psc_connect.dry_run import run
from psc_connect.professional.userinfo import read_userinfo
from psc_connect.providers.serialization import serialize_rows, stored_rows
from psc_connect.providers.validation import changes_group_grants, give_groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse

    from psc_connect.admin.access.preview import PersonPreview, Tally
    from psc_connect.models import Provider

RULES = "access_rules"
# Every name of the template: of one that is missing Django logs all the others, claims included.
NOT_TRIED: dict[str, Any] = {"tried": [], "tally": None, "told": "", "refused": (), "must_confirm": "", "wrong": []}


@method_decorator(sensitive_post_parameters("pasted"), name="dispatch")
class AccessPage(RowsPage):
    """Whoever may look may try; to save takes the right to change."""

    name = "access_rules"
    title = _("Access rules")
    template_name = "admin/psc_connect/provider/access_rules.html"
    lists = (RULES,)
    fields = ("others_may_sign_in", "refusal_message", "contact")
    saved = _("The access rules are saved: they hold from the next sign-in on.")

    def get(self, request: HttpRequest) -> HttpResponse:
        stored = rules_of(self.provider)
        return self._show(
            request,
            rule_form_set(initial=[initial_of(rule) for rule in stored]),
            OthersForm(instance=self.provider),
            PreviewForm(initial={"acr": self.provider.acr_values.partition(" ")[0]}),
            remarks=list(RuleSet(self.provider, stored).remarks()),
        )

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        data = rebuild_formset_data(request.POST)
        # What is typed is not yet the provider's.
        forms = (rule_form_set(data), OthersForm(data, instance=copy.copy(self.provider)), PreviewForm(data))
        rules, others, trial = forms
        if not all([rules.is_valid(), others.is_valid()]):
            return self._show(request, *forms, wrong=_wrong(rules, others) if "_save" in request.POST else [])
        self.values = {name: others.cleaned_data[name] for name in self.fields}
        typed = RuleSet.typed(self.provider, rules.rows, self.values)
        remarks = list(typed.remarks())
        if "_save" not in request.POST:
            tried = self._tried(request, typed, trial) if "_try" in request.POST else {}
            return self._show(request, *forms, remarks=remarks, **tried)
        if not self.model_admin.has_change_permission(request, self.provider):
            raise PermissionDenied
        tally = typed.tally(_acr(trial))
        confirmation = edit_conflicts.digest([serialize_rows(RULES, rules.rows), self.values])
        if tally.shuts_everybody_out and request.POST.get("confirmed") != confirmation:
            return self._show(
                request, *forms, remarks=remarks, tally=tally, told=_told(tally), must_confirm=confirmation
            )
        problem = self.save(request, {RULES: rules.rows})
        return self._show(request, *forms, remarks=remarks, **problem) if problem else self.to(self.name)

    @override
    def problem(self, request: HttpRequest, rows: dict[str, list[Model]]) -> dict[str, Any]:
        present, wanted = self.present(), serialize_rows(RULES, rows[RULES])
        is_otherwise = changes_group_grants(present[RULES], wanted)
        if self.values["others_may_sign_in"] != present["others_may_sign_in"]:
            is_otherwise = is_otherwise or give_groups(wanted)
        if is_otherwise and not may_change_users(request):
            return {"problem": gettext("Whoever gives groups must be allowed to change users: ask a colleague who is.")}
        return super().problem(request, rows)

    @sensitive_variables()
    def _tried(self, request: HttpRequest, rules: RuleSet, trial: PreviewForm) -> dict[str, Any]:
        if not trial.is_valid():
            return {}
        tried = {"tried": list(self._people(request, rules, trial))}
        # How many would be refused by a rule tells of each what a rule can ask: not to whoever may only look.
        may_see_claims = request.user.has_perm(VIEW_CLAIMS)
        if not (may_see_claims or self.model_admin.has_change_permission(request, self.provider)):
            return tried
        tally = rules.tally(_acr(trial))
        return {**tried, "tally": tally, "told": _told(tally), "refused": tally.shown if may_see_claims else ()}

    @sensitive_variables()
    def _people(self, request: HttpRequest, rules: RuleSet, trial: PreviewForm) -> Iterator[PersonPreview]:
        if claims := trial.cleaned_data["pasted"]:
            yield rules.person(gettext("The one pasted below"), read_userinfo(claims), acr=_acr(trial))
        found = run.last_run(request, self.provider) if request.user.has_perm(VIEW_CLAIMS) else None
        if found and found.claims:
            acr = str(found.id_token_claims.get("acr", ""))
            professional, shown = read_userinfo(found.claims), masker(found.claims)
            yield rules.person(gettext("My last dry run"), professional, acr=acr, shown=shown)
        yield from rules.samples(_acr(trial))

    @sensitive_variables()
    def _show(
        self, request: HttpRequest, rules: Any, others: OthersForm, trial: PreviewForm, **context: Any
    ) -> HttpResponse:
        return self.render(
            request,
            rules=rules,
            others=others,
            trial=trial,
            offered=all_offered(),
            users_have_groups=users_have_groups(),
            may_change_users=may_change_users(request),
            max_accounts=MAX_ACCOUNTS,
            seen=self.seen(request),
            **{**NO_PROBLEM, **NOT_TRIED, "remarks": [], **context},
        )


def _acr(trial: PreviewForm) -> str:
    return str(trial.cleaned_data.get("acr", "")) if trial.is_valid() else ""


def _wrong(rules: Any, others: OthersForm) -> list[tuple[str, str]]:
    """Return (id on the page, name) of each part that keeps the rules from being saved."""
    rows = [
        (f"row-{number}", gettext("Row %(number)s") % {"number": number})
        for number, form in enumerate(rules, start=1)
        if not form.is_valid()
    ]
    return rows if others.is_valid() else [*rows, ("others", gettext("Last line"))]


def _told(tally: Tally) -> str:
    """Say what would become of the people whom the site knows."""
    if tally.denies_everyone:
        return gettext("Nobody could sign in any longer, whoever it may be.")
    if not tally.known:
        return gettext("The professional data of nobody are known here yet: they are kept from the first sign-in on.")
    if tally.shuts_everybody_out:
        text = gettext("Every known account would be refused (%(known)s).")
    elif not tally.refused:
        text = gettext("No known account would be refused (of %(known)s).")
    else:
        text = ngettext(
            "%(refused)s of %(known)s known accounts would be refused.",
            "%(refused)s of %(known)s known accounts would be refused.",
            tally.refused,
        )
    told = text % {"refused": tally.refused, "known": tally.known}
    if not tally.is_partial:
        return told
    partial = gettext("These are the first %(known)s accounts only: there was no time to try the others.")
    return f"{told} {partial % {'known': tally.known}}"


def summary(provider: Provider) -> list[str]:
    """Return the rules as sentences, the last line with them, for the provider's form."""
    others = others_in_words(may_sign_in=provider.others_may_sign_in, message=provider.refusal_message)
    return [*map(rule_in_words, stored_rows(provider, RULES)), others]
