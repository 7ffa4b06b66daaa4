"""The mapping: exported attributes and groups, tried on a sample before they are saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from typing_extensions import override

from psc_connect.access.groups import users_have_groups
from psc_connect.accounts.decision import find_account
from psc_connect.accounts.verified_identity import VerifiedIdentity
from psc_connect.admin.base import VIEW_CLAIMS, WHY_NOT_USERS, may_change_users
from psc_connect.admin.formset_page import NO_PROBLEM, RowsPage
from psc_connect.admin.mapping.computed_values import shown_computed
from psc_connect.admin.mapping.forms import AttributeFormSet, GroupFormSet, ReadySetForm, SampleForm
from psc_connect.admin.masking import masker
from psc_connect.admin.outcomes import shown_attribute
from psc_connect.backends import creation_is_impossible
from psc_connect.claims.claims import Claims
from psc_connect.claims.expressions import TooSlow
from psc_connect.claims.paths import claim_matches, claim_value, explain_path, proposals
from psc_connect.dry_run import run
from psc_connect.error_messages import labelled
from psc_connect.exceptions import LoginRefused
from psc_connect.mapping.attributes import evaluate_attribute
from psc_connect.mapping.presets import add_preset
from psc_connect.models import ExportedAttribute, ExportedGroup
from psc_connect.providers.serialization import serialize_rows
from psc_connect.text import to_single_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User
    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse

    from psc_connect.admin.outcomes import Shown
    from psc_connect.claims.paths import Step
    from psc_connect.models import Account, Provider

ATTRIBUTES, GROUPS = "exported_attributes", "exported_groups"
STEP_KINDS = {
    "object": _("an object that holds %(names)s"),
    "value": _("a value"),
    "empty": _("empty"),
    "nothing": _("nothing"),
    "too_slow": _("takes too long to evaluate"),
}


# What somebody reads who looks for a mistake: the last steps, and enough of what lies there.
MAX_STEPS = 10
MAX_NAMES = 20
MAX_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Tried:
    """What a row finds in the sample and makes of it; ``steps`` where its path leads nowhere."""

    found: str
    result: str
    takes: str = ""
    is_problem: bool = False
    steps: tuple[str, ...] = ()


@method_decorator(sensitive_post_parameters("pasted"), name="dispatch")
class MappingPage(RowsPage):
    """Whoever may look may try; to save takes the rights to change providers and users."""

    name = "mapping"
    title = _("Exported attributes and groups")
    template_name = "admin/psc_connect/provider/mapping.html"
    lists = (ATTRIBUTES, GROUPS)
    saved = _("The mapping is saved: it holds from the next sign-in on.")

    def get(self, request: HttpRequest) -> HttpResponse:
        groups = self.provider.exported_groups.values("claim", "equals", "group")
        return self._show(
            request,
            SampleForm(last=self._last_claims(request)),
            AttributeFormSet(initial=self.present()[ATTRIBUTES], prefix="attributes"),
            GroupFormSet(initial=list(groups), prefix="groups"),
        )

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        sample = SampleForm(request.POST, last=self._last_claims(request))
        attributes = AttributeFormSet(request.POST, prefix="attributes")
        groups = GroupFormSet(request.POST, prefix="groups")
        if "_fill" in request.POST:
            return self._fill(request, sample, attributes, groups)
        are_valid = all([attributes.is_valid(), groups.is_valid()])
        if "_save" not in request.POST or not are_valid:
            return self._show(request, sample, attributes, groups)
        if not self.model_admin.has_change_permission(request, self.provider):
            raise PermissionDenied
        problem = self.save(request, {ATTRIBUTES: attributes.rows, GROUPS: groups.rows})
        return self._show(request, sample, attributes, groups, **problem) if problem else self.to(self.name)

    @sensitive_variables()
    def _fill(self, request: HttpRequest, sample: SampleForm, attributes: Any, groups: Any) -> HttpResponse:
        """Show the page again with the rows of a ready set among those that are typed; nothing is saved."""
        chosen = ReadySetForm(request.POST)
        if not chosen.is_valid():
            return self._show(request, sample, attributes, groups, presets=chosen)
        rows, missing = add_preset(attributes.typed_rows, chosen.cleaned_data["preset"])
        filled_in = AttributeFormSet(initial=rows, prefix="attributes")
        return self._show(request, sample, filled_in, groups, presets=chosen, missing=missing)

    def _last_claims(self, request: HttpRequest) -> Mapping[str, Any] | None:
        found = run.last_run(request, self.provider) if request.user.has_perm(VIEW_CLAIMS) else None
        return found.claims if found and found.claims else None

    @override
    def problem(self, request: HttpRequest, rows: dict[str, list[Model]]) -> dict[str, Any]:
        wanted = {name: serialize_rows(name, each) for name, each in rows.items()}
        if wanted != self.present() and not may_change_users(request):
            return {"problem": WHY_NOT_USERS}
        return super().problem(request, rows)

    @sensitive_variables()
    def _show(
        self, request: HttpRequest, sample: SampleForm, attributes: Any, groups: Any, **context: Any
    ) -> HttpResponse:
        claims = sample.claims
        is_last = claims is sample.last
        shown: Shown = masker(claims) if is_last else lambda value: value
        account = self._known_account(request) if is_last else None
        trial = Trial(
            Claims(claims, chosen=account.activity_choice if account else ""), shown, account.user if account else None
        )
        return self.render(
            request,
            sample=sample,
            attributes=attributes,
            tried_attributes=[(form, trial.attribute(form)) for form in attributes],
            groups=groups,
            tried_groups=[(form, trial.group(form)) for form in groups],
            users_have_groups=users_have_groups(),
            has_groups=Group.objects.exists(),
            why_not="" if may_change_users(request) else WHY_NOT_USERS,
            creation_is_impossible=creation_is_impossible(self.provider),
            computed=shown_computed(trial.claims, shown),
            proposals=[(each.path, to_single_line(shown(each.value))) for each in proposals(claims)],
            seen=self.seen(request),
            **{"presets": ReadySetForm(), "missing": [], **NO_PROBLEM, **context},
        )

    @sensitive_variables()
    def _known_account(self, request: HttpRequest) -> Account | None:
        found = run.last_run(request, self.provider)
        if found is None:
            return None
        try:
            identity = VerifiedIdentity.read(found.subject, found.claims, id_token_claims=found.id_token_claims)
            return find_account(self.provider, identity)
        except LoginRefused:
            return None


@dataclass(frozen=True, slots=True)
class Trial:
    """A sample, and the rows that are tried on it; ``user`` is who would be signed in, or None for somebody new."""

    claims: Claims = field(repr=False)
    shown: Shown
    user: User | None = None

    @sensitive_variables()
    def attribute(self, form: Any) -> Tried | None:
        row = _typed_row(form, ExportedAttribute)
        if row is None:
            return None
        user = self.user or get_user_model()()
        verdict = evaluate_attribute(row, user, self.claims, creating=self.user is None)
        said = shown_attribute(row, verdict, self.shown)
        steps = self._steps(row.claim) if verdict.found is None else ()
        if not row.user_field:
            return Tried(said.found, gettext("Choose the field that it fills, or delete the row."), steps=steps)
        return Tried(said.found, said.result, said.takes, verdict.fatal, steps)

    @sensitive_variables()
    def group(self, form: Any) -> Tried | None:
        row = _typed_row(form, ExportedGroup)
        if row is None:
            return None
        try:
            found = claim_value(row.claim, self.claims)
            is_member = claim_matches(row.claim, row.equals, self.claims)
        except TooSlow:
            text = gettext("Evaluating the expression takes too long: nobody joins the group by this row.")
            return Tried("", text, is_problem=True, steps=self._steps(row.claim))
        result = gettext("This person is in the group.") if is_member else gettext("This person is not in the group.")
        text = "" if found is None else to_single_line(self.shown(found))
        return Tried(text, result, steps=self._steps(row.claim) if found is None else ())

    def _steps(self, path: str) -> tuple[str, ...]:
        steps = explain_path(path, self.claims)
        left_out = ("…",) if len(steps) > MAX_STEPS else ()
        return (*left_out, *(_step_in_words(step) for step in steps[-MAX_STEPS:]))


def _step_in_words(step: Step) -> str:
    if step.kind == "list":
        text = ngettext("a list of %(size)s element", "a list of %(size)s elements", step.size) % {"size": step.size}
    else:
        names = [*step.names[:MAX_NAMES], *(["…"] if len(step.names) > MAX_NAMES else [])]
        text = STEP_KINDS[step.kind] % {"names": to_single_line(", ".join(names), MAX_CHARACTERS)}
    nearest = gettext("do you mean %(name)s?") % {"name": step.nearest} if step.nearest else ""
    return " – ".join(each for each in (labelled(step.path, text), nearest) if each)


def _typed_row(form: Any, model: type[Any]) -> Any:
    """Return the row that a form stands for, unsaved, or None where it is empty or wrong."""
    if form.is_bound:
        return form.instance if form.has_changed() and form.is_valid() else None
    values = {**form.initial}
    if "group" in values:
        values["group_id"] = values.pop("group")
    return model(**values) if values.get("claim") else None


def summary(provider: Provider) -> list[tuple[str, str, str]]:
    """Return what, to what, and when, for the provider's form."""
    attributes = [(row.claim, row.user_field, row.get_when_display()) for row in provider.exported_attributes.all()]
    groups = [
        (f"{row.claim} = {row.equals}" if row.equals else row.claim, row.group.name, gettext("while it holds"))
        for row in provider.exported_groups.select_related("group")
    ]
    return [*attributes, *groups]
