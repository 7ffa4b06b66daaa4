"""The page of the mapping of a provider: exported attributes and groups, with a preview before they are saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from typing_extensions import override

from psc_connect.access.groups import users_have_groups
from psc_connect.accounts.decision import find_account
from psc_connect.accounts.verified_identity import VerifiedIdentity
from psc_connect.admin.base import VIEW_CLAIMS, WHY_NOT_USERS, administrator, may_change_users
from psc_connect.admin.formset_page import RowsPage
from psc_connect.admin.mapping.computed_values import shown_computed
from psc_connect.admin.mapping.forms import AttributeFormSet, GroupFormSet, PresetForm, SampleForm
from psc_connect.admin.mapping.preview import MappingPreview
from psc_connect.admin.masking import masker
from psc_connect.admin.rights import disable_groups, why_not_groups
from psc_connect.backends import creation_is_impossible
from psc_connect.claims.claims import Claims
from psc_connect.claims.paths import proposals
from psc_connect.dry_run import run
from psc_connect.exceptions import LoginRefused
from psc_connect.mapping.presets import add_preset
from psc_connect.providers.serialization import serialize_rows
from psc_connect.providers.validation import groups_given
from psc_connect.text import to_single_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse

    from psc_connect.admin.outcomes import Shown
    from psc_connect.models import Account, Provider

ATTRIBUTES, GROUPS = "exported_attributes", "exported_groups"


@method_decorator(sensitive_post_parameters("pasted"), name="dispatch")
class MappingPage(RowsPage):
    """A preview takes the right to view the provider; saving takes the rights to change providers and users."""

    name = "mapping"
    title = _("Exported attributes and groups")
    template_name = "admin/psc_connect/provider/mapping.html"
    lists = (ATTRIBUTES, GROUPS)
    saved = _("The mapping is saved: it applies from the next sign-in on.")

    def get(self, request: HttpRequest) -> HttpResponse:
        groups = self.provider.exported_groups.values("claim", "equals", "group")
        return self._show(
            request,
            SampleForm(dry_run_claims=self._dry_run_claims(request)),
            AttributeFormSet(initial=self.present()[ATTRIBUTES], prefix="attributes"),
            GroupFormSet(initial=list(groups), prefix="groups"),
        )

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        sample = SampleForm(request.POST, dry_run_claims=self._dry_run_claims(request))
        attributes = AttributeFormSet(request.POST, prefix="attributes")
        groups = GroupFormSet(request.POST, prefix="groups")
        if "_fill" in request.POST:
            return self._fill(request, sample, attributes, groups)
        is_valid = all([attributes.is_valid(), groups.is_valid()])
        if "_save" not in request.POST or not is_valid:
            return self._show(request, sample, attributes, groups)
        if not self.model_admin.has_change_permission(request, self.provider):
            raise PermissionDenied
        problem = self.save(request, {ATTRIBUTES: attributes.rows, GROUPS: groups.rows})
        return self._show(request, sample, attributes, groups, **problem) if problem else self.to(self.name)

    @sensitive_variables()
    def _fill(self, request: HttpRequest, sample: SampleForm, attributes: Any, groups: Any) -> HttpResponse:
        """Show the page again with the rows of a preset among the typed ones; save nothing."""
        presets = PresetForm(request.POST)
        if not presets.is_valid():
            return self._show(request, sample, attributes, groups, presets=presets)
        rows, missing = add_preset(attributes.typed_rows, presets.cleaned_data["preset"])
        filled_in = AttributeFormSet(initial=rows, prefix="attributes")
        return self._show(request, sample, filled_in, groups, presets=presets, missing=missing)

    def _dry_run_claims(self, request: HttpRequest) -> Mapping[str, Any] | None:
        found = run.last_run(request, self.provider) if request.user.has_perm(VIEW_CLAIMS) else None
        return found.claims if found and found.claims else None

    @override
    def problem(self, request: HttpRequest, rows: dict[str, list[Model]]) -> dict[str, Any]:
        wanted = {name: serialize_rows(name, typed) for name, typed in rows.items()}
        if wanted != self.present() and not may_change_users(request):
            return {"problem": WHY_NOT_USERS}
        if why := why_not_groups(administrator(request), groups_given(self.present(), wanted)):
            return {"problem": why}
        return super().problem(request, rows)

    @sensitive_variables()
    def _show(
        self, request: HttpRequest, sample: SampleForm, attributes: Any, groups: Any, **context: Any
    ) -> HttpResponse:
        userinfo = sample.claims
        is_dry_run = userinfo is sample.dry_run_claims
        shown: Shown = masker(userinfo) if is_dry_run else lambda value: value
        account = self._known_account(request) if is_dry_run else None
        claims = Claims(userinfo, chosen=account.activity_choice if account else "")
        preview = MappingPreview(claims, shown, account.user if account else None)
        return self.render(
            request,
            sample=sample,
            attributes=attributes,
            attribute_rows=[(form, preview.attribute(form)) for form in attributes],
            groups=groups,
            group_rows=[(form, preview.group(form)) for form in groups],
            users_have_groups=users_have_groups(),
            has_groups=Group.objects.exists(),
            why_not="" if may_change_users(request) else WHY_NOT_USERS,
            why_not_groups=disable_groups(administrator(request), groups),
            creation_is_impossible=creation_is_impossible(self.provider),
            computed=shown_computed(claims, shown),
            proposals=[(path.path, to_single_line(shown(path.value))) for path in proposals(userinfo)],
            **{"presets": PresetForm(), "missing": [], **context},
        )

    @sensitive_variables()
    def _known_account(self, request: HttpRequest) -> Account | None:
        """Return the account of the person of the last dry run, if there is one."""
        found = run.last_run(request, self.provider)
        if found is None:
            return None
        try:
            identity = VerifiedIdentity.read(found.subject, found.claims, id_token_claims=found.id_token_claims)
            return find_account(self.provider, identity)
        except LoginRefused:
            return None


def summary(provider: Provider) -> list[tuple[str, str, str]]:
    """Return (claim, field or group, when) of each row, for the provider's form."""
    attributes = [(row.claim, row.user_field, row.get_when_display()) for row in provider.exported_attributes.all()]
    groups = [
        (f"{row.claim} = {row.equals}" if row.equals else row.claim, row.group.name, gettext("while it applies"))
        for row in provider.exported_groups.select_related("group")
    ]
    return [*attributes, *groups]
