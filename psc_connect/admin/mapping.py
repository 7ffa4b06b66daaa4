"""The mapping: exported attributes and groups, tried on a sample before they are saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect import accounts, declaration, dry_run, history
from psc_connect.admin import concurrency
from psc_connect.admin.history import value_in_words
from psc_connect.admin.mapping_forms import AttributeFormSet, GroupFormSet, SampleForm
from psc_connect.admin.page import VIEW_CLAIMS, ProviderPage, administrator
from psc_connect.admin.values import in_one_line, shown_attribute
from psc_connect.backends import creation_is_impossible
from psc_connect.claim_paths import claim_value, holds, proposals, steps_of
from psc_connect.document import ROWS, row_as_json
from psc_connect.groups import users_have_groups
from psc_connect.masking import masker
from psc_connect.models import DeclarationChange, ExportedAttribute, ExportedGroup
from psc_connect.users import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

    from psc_connect.admin.values import Shown
    from psc_connect.claim_paths import Step
    from psc_connect.models import Provider

ATTRIBUTES, GROUPS = "exported_attributes", "exported_groups"
STEP_KINDS = {
    "object": _("an object with: %(names)s"),
    "list": _("a list of %(size)s"),
    "value": _("a value"),
    "empty": _("empty"),
    "nothing": _("nothing"),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """What a row finds in the sample and makes of it; ``steps`` where its path leads nowhere."""

    found: str
    result: str
    takes: str = ""
    is_problem: bool = False
    steps: tuple[str, ...] = ()


class MappingPage(ProviderPage):
    """Try and save: the list of rows as it stands on the page takes the place of the one before."""

    name = "mapping"
    title = _("Exported attributes and groups")
    for_who_may = "view"
    template_name = "admin/psc_connect/provider/mapping.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        attributes = [row_as_json(row, ROWS[ATTRIBUTES]) for row in self.provider.exported_attributes.all()]
        groups = [
            {"claim": row.claim, "equals": row.equals, "group": row.group_id} for row in _group_rows(self.provider)
        ]
        return self._show(
            request,
            SampleForm(last=self._last_claims(request)),
            AttributeFormSet(initial=attributes, prefix="attributes"),
            GroupFormSet(initial=groups, prefix="groups"),
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self.model_admin.has_change_permission(request, self.provider):
            raise PermissionDenied
        sample = SampleForm(request.POST, last=self._last_claims(request))
        attributes = AttributeFormSet(request.POST, prefix="attributes")
        groups = GroupFormSet(request.POST, prefix="groups")
        are_valid = all([attributes.is_valid(), groups.is_valid()])
        if "_save" not in request.POST or not are_valid:
            return self._show(request, sample, attributes, groups)
        problem = self._problem(request, groups)
        if problem:
            return self._show(request, sample, attributes, groups, **problem)
        self._save(request, {ATTRIBUTES: attributes.rows, GROUPS: groups.rows})
        return self.to(self.name)

    def _last_claims(self, request: HttpRequest) -> Mapping[str, Any] | None:
        found = dry_run.last_run(request, self.provider) if request.user.has_perm(VIEW_CLAIMS) else None
        return found.claims if found and found.claims else None

    def _problem(self, request: HttpRequest, groups: Any) -> dict[str, Any]:
        """Return what keeps valid rows from being saved, for the page; nothing where nothing does."""
        present = rows_of(self.provider)
        wanted = [row_as_json(row, ROWS[GROUPS]) for row in groups.rows]
        if wanted != present[GROUPS] and not may_give_groups(request):
            return {"problem": gettext("Whoever gives groups must be allowed to change users: ask a colleague who is.")}
        changed = concurrency.changed_since(concurrency.read_digests(request.POST.get("seen")), present)
        acknowledgement = concurrency.digest(present)
        if changed and request.POST.get("acknowledged") != acknowledgement:
            text = gettext(
                "Nothing of yours has been saved yet, and nothing is lost. To replace these rows, save again:"
            )
            told = f"{concurrency.told(self.provider, changed)} {text}"
            rows = [value_in_words(row) for name in changed for row in present[name]]
            return {"problem": told, "present": rows, "acknowledged": acknowledgement}
        return {}

    def _save(self, request: HttpRequest, rows: dict[str, list[Any]]) -> None:
        with (
            transaction.atomic(),
            history.recorded(self.provider, origin=DeclarationChange.Origin.ADMIN, by=administrator(request)),
        ):
            for name, wanted in rows.items():
                declaration.replace_rows(self.provider, name, wanted)
        self.model_admin.log_change(
            request, self.provider, [{"changed": {"fields": ["exported attributes and groups"]}}]
        )
        messages.success(request, gettext("The mapping is saved: it holds from the next sign-in on."))

    def _show(
        self, request: HttpRequest, sample: SampleForm, attributes: Any, groups: Any, **context: Any
    ) -> HttpResponse:
        context = {"problem": "", "present": [], "acknowledged": "", **context}
        claims = sample.claims
        shown: Shown = masker(claims) if claims is sample.last else lambda value: value
        trial = Trial(claims, shown, self._known_user(request) if claims is sample.last else None)
        return self.render(
            request,
            sample=sample,
            attributes=attributes,
            tried_attributes=[(form, trial.attribute(form)) for form in attributes],
            groups=groups,
            tried_groups=[(form, trial.group(form)) for form in groups],
            users_have_groups=users_have_groups(),
            may_give_groups=may_give_groups(request),
            creation_is_impossible=creation_is_impossible(self.provider),
            proposals=[(each.path, in_one_line(shown(each.value))) for each in proposals(claims)],
            seen=request.POST.get("seen") or concurrency.digests(rows_of(self.provider)),
            **context,
        )

    def _known_user(self, request: HttpRequest) -> User | None:
        found = dry_run.last_run(request, self.provider)
        account = accounts.find(self.provider, found.subject) if found else None
        return account.user if account else None


@dataclass(frozen=True, slots=True)
class Trial:
    """A sample, and the rows that are tried on it; ``user`` is who would be signed in, or None for somebody new."""

    claims: Mapping[str, Any]
    shown: Shown
    user: User | None = None

    def attribute(self, form: Any) -> Tried | None:
        row = _typed_row(form, ExportedAttribute)
        if row is None:
            return None
        user = self.user or get_user_model()()
        verdict = judge(row, user, self.claims, creating=self.user is None)
        said = shown_attribute(row, verdict, self.shown)
        steps = self._steps(row.claim) if verdict.found is None else ()
        return Tried(said.found, said.result, said.takes, verdict.fatal, steps)

    def group(self, form: Any) -> Tried | None:
        row = _typed_row(form, ExportedGroup)
        if row is None:
            return None
        found = claim_value(row.claim, self.claims)
        is_member = holds(row.claim, row.equals, self.claims)
        result = gettext("This person is in the group.") if is_member else gettext("This person is not in the group.")
        text = "" if found is None else in_one_line(self.shown(found))
        return Tried(text, result, steps=self._steps(row.claim) if found is None else ())

    def _steps(self, path: str) -> tuple[str, ...]:
        return tuple(_step_in_words(step) for step in steps_of(path, self.claims))


def _step_in_words(step: Step) -> str:
    text = STEP_KINDS[step.kind] % {"names": ", ".join(step.names), "size": step.size}
    nearest = gettext("do you mean %(name)s?") % {"name": step.nearest} if step.nearest else ""
    return " – ".join(each for each in (f"{step.path}: {text}", nearest) if each)


def _typed_row(form: Any, model: type[Any]) -> Any:
    """Return the row that a form stands for, unsaved, or None where it is empty or wrong."""
    if form.is_bound:
        return form.instance if form.has_changed() and form.is_valid() else None
    values = {**form.initial}
    if "group" in values:
        values["group_id"] = values.pop("group")
    return model(**values) if values.get("claim") else None


def _group_rows(provider: Provider) -> list[ExportedGroup]:
    return list(provider.exported_groups.select_related("group"))


def summary(provider: Provider) -> list[tuple[str, str, str]]:
    """Return what, to what, and when, for the provider's form."""
    attributes = [(row.claim, row.user_field, row.get_when_display()) for row in provider.exported_attributes.all()]
    groups = [
        (f"{row.claim} = {row.equals}" if row.equals else row.claim, row.group.name, gettext("while it holds"))
        for row in _group_rows(provider)
    ]
    return [*attributes, *groups]


def rows_of(provider: Provider) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of both lists as a declaration has them."""
    return {
        name: [row_as_json(row, ROWS[name]) for row in getattr(provider, name).all()] for name in (ATTRIBUTES, GROUPS)
    }


def may_give_groups(request: HttpRequest) -> bool:
    """Whether the administrator could put somebody into a group by hand: by a row they put everybody."""
    meta = get_user_model()._meta
    return request.user.has_perm(f"{meta.app_label}.{get_permission_codename('change', meta)}")
