"""The pages of the dry run: the first starts it, the callback finishes it, the second shows its result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from psc_connect.admin.access.preview import RuleSet
from psc_connect.admin.base import VIEW_CLAIMS, ProviderPage
from psc_connect.admin.masking import masker
from psc_connect.admin.outcomes import PROBLEMS, indented, shown_attribute
from psc_connect.admin.people import is_revealed, shown_person
from psc_connect.administrator_messages import explain
from psc_connect.claims.budget import current_budget
from psc_connect.dry_run import run
from psc_connect.dry_run.preview import preview_login
from psc_connect.exceptions import LoginRefused
from psc_connect.fields import SECRET_PROBLEMS
from psc_connect.login.refusal_texts import explanation_of
from psc_connect.login.session_limits import is_in_cookie
from psc_connect.login.site_urls import is_other_host, site_origin
from psc_connect.login.visits import is_visit
from psc_connect.oidc.error_codes import CODES
from psc_connect.oidc.errors import MetadataError
from psc_connect.oidc.id_token import RULES
from psc_connect.oidc.id_token_rules import ID_TOKEN_RULES
from psc_connect.professional.professional import unknown_codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrPromise

    from psc_connect.accounts.decision import LoginDecision
    from psc_connect.admin.outcomes import Shown
    from psc_connect.dry_run.run import DryRun, Step
    from psc_connect.professional.professional import Professional

WORDS = {
    run.PASSED: _("passed"),
    run.FAILED: _("failed"),
    run.NOT_REACHED: _("not reached"),
    run.NOT_REQUIRED: _("not required"),
}
STEPS = {
    "state": (_("The response belongs to this dry run (state)."), "RFC 6749 4.1.2"),
    "response_issuer": (_("The response comes from this provider (iss)."), "RFC 9207"),
    "code": (_("The provider sent an authorization code."), "RFC 6749 4.1.2"),
    "token": (_("The token endpoint sent tokens for the code and this client's secret."), "OpenID Connect Core 3.1.3"),
    "signature": (_("The ID token is signed with a key of the provider."), "OpenID Connect Core 3.1.3.7 (6)–(8)"),
    "userinfo": (_("The userinfo endpoint answered."), "OpenID Connect Core 5.3"),
    "same_subject": (_("The userinfo is about the person of the ID token (sub)."), "OpenID Connect Core 5.3.2"),
}
OUTCOMES = {
    "returning": _("This person already has an account and would be signed in as its user."),
    "found_again": _(
        "This person already has an account and would be signed in as its user: the account has another sub and is "
        "found by an identifier."
    ),
    "matched": _("This person would be linked to the user who has their RPPS number, and signed in."),
    "linked": _("This person would be linked to a user whom the site's own code finds, and signed in."),
    "created": _("A new user would be created for this person, and signed in."),
    "refused": _("This person would be refused."),
}
# Why a person is refused, in an administrator's words.
ACCOUNT_REASONS = {
    "account_unknown": _("The person has no account here, and “create unknown users” is off."),
    "account_inactive": _("The user of this person is deactivated."),
    "account_ambiguous": _("Several users fit this person: by their RPPS number, or by the site's own code."),
    "account_identifiers_conflict": _(
        "The sub and the identifiers of this person lead to several accounts, or to the account of another person: "
        "merge the accounts, or withdraw an identifier, on the page of one of them; unlink an account whose current "
        "identifier now belongs to another person."
    ),
    "account_link_privileged": _(
        "The user with this RPPS number administers the site: link the account by hand, or let the provider do it."
    ),
    "account_already_linked": _("The user with this RPPS number already has another account, with any issuer."),
    "account_link_field_unknown": _("The user model no longer has the field in which RPPS numbers are looked for."),
    "userinfo_identifier_mismatch": _("The ID token and the userinfo name different national identifiers."),
    "userinfo_identifiers_contradict": _("The userinfo names two different RPPS numbers, or two PSI."),
    "account_claims_refused": _("The site's own code (verify_claims) refuses these claims."),
    "account_username_missing": _("No exported attribute fills the username of a new user."),
    "access_refused": _("The access rules refuse this person."),
    "access_rule_malformed": _("An access rule cannot be read: every person who reaches it is refused."),
    "access_rules_too_slow": _(
        "The access rules take too long for this person: there are too many, or too many values."
    ),
}
NOT_STARTED = _("The dry run could not start. %(reason)s")


@dataclass(frozen=True, slots=True)
class ShownStep:
    status: str
    word: _StrPromise
    text: str
    source: str
    code: str
    reason: str
    received: str


class BeginDryRunPage(ProviderPage):
    """Starts a dry run. A GET: a strict CSP `form-action` would block the redirect to the provider after a form."""

    name = "begin_dry_run"

    def get(self, request: HttpRequest) -> HttpResponse:
        if not is_visit(request):
            raise PermissionDenied
        try:
            reason = _obstacle(request)
            if not reason:
                return run.begin(request, self.provider)
        except MetadataError as exc:
            reason = explain(exc.code)
        except LoginRefused:
            reason = gettext("Set PSC_CONNECT_BASE_URL: the addresses of this site are not known for certain.")
        messages.error(request, NOT_STARTED % {"reason": reason})
        return self.to("dry_run")


def _obstacle(request: HttpRequest) -> str:
    """Return why the result could not be kept or would not arrive here, or ""."""
    if is_in_cookie(request.session):
        return gettext("This site keeps its sessions in cookies, which cannot hold a dry run: change SESSION_ENGINE.")
    if is_other_host(request):
        text = gettext("The provider sends browsers back to %(origin)s: open the administration there.")
        return text % {"origin": site_origin(request)}
    return ""


# Keyed by the code of a ReadingWarning.
REMARKS = {
    "type_unexpected": _("not of the type that Pro Santé Connect sends; ignored unless it is text"),
    "value_twice": _("sent twice with different values; the newer place is used"),
    "identifier_unknown": _("not a known kind of identifier; it is stored, and finds no account"),
}


class DryRunPage(ProviderPage):
    """The result of this administrator's last dry run. The preview uses the current mapping and access rules."""

    name = "dry_run"
    title = _("Dry run")
    template_name = "admin/psc_connect/provider/dry_run.html"

    @sensitive_variables()
    def get(self, request: HttpRequest) -> HttpResponse:
        result = run.last_run(request, self.provider)
        if result is None:
            return self.render(request, result=None)
        may_see = request.user.has_perm(VIEW_CLAIMS)
        revealed = is_revealed(request)
        both = {"userinfo": result.claims, "id_token": result.id_token_claims}
        shown: Shown = (lambda value: value) if revealed else masker(both)
        return self.render(
            request,
            result=result,
            made_at=timezone.localtime(datetime.fromisoformat(result.made_at)),
            steps=[_shown_step(step, result.id_token_claims if may_see else {}) for step in result.steps],
            reason=reason_of(result.code) if result.code else "",
            revealed=revealed,
            # Before the claims, for which masking may take many steps.
            **self._preview(request, result, shown if may_see else None),
            claims=[(name, indented(shown(claims))) for name, claims in both.items() if claims] if may_see else [],
            budget=current_budget(),
        )

    @sensitive_variables()
    def _preview(self, request: HttpRequest, result: DryRun, shown: Shown | None) -> dict[str, Any]:
        """Return the context of the preview. ``shown`` None: without rows, which can be written to ask for claims."""
        # Every name that the template uses: for a missing one Django logs all others, claims included.
        context: dict[str, Any] = {
            "outcome": "",
            "preview": None,
            "refusal": "",
            "username": "",
            "attributes": [],
            "groups": [],
            "access": "",
            "people": [],
            "remarks": [],
        }
        if not result.claims:
            return context
        preview = preview_login(
            request, self.provider, result.subject, claims=result.claims, id_token_claims=result.id_token_claims
        )
        context |= {
            "outcome": OUTCOMES[preview.outcome],
            "preview": preview,
            "refusal": reason_of(preview.code) if preview.code else "",
        }
        if shown is None:
            return context
        return context | {
            "username": self._username(request, preview.user, shown) if preview.user else "",
            "attributes": [shown_attribute(row, verdict, shown) for row, verdict in preview.attributes],
            "groups": preview.groups,
            **self._access(preview.decision, shown),
        }

    @sensitive_variables()
    def _username(self, request: HttpRequest, user: User, shown: Shown) -> str:
        return shown_person(user, shown(user.get_username()), revealed=is_revealed(request))

    @sensitive_variables()
    def _access(self, decision: LoginDecision | None, shown: Shown) -> dict[str, Any]:
        if decision is None:
            return {}
        rules, identity = RuleSet(self.provider, decision.rules), decision.identity
        return {
            "access": rules.in_words(decision.admission.decision),
            "people": [rules.person("", identity.professional, acr=identity.acr, shown=shown)],
            "remarks": list(_remarks(identity.professional)),
        }


def _remarks(professional: Professional) -> Iterator[tuple[str, str]]:
    """Yield ``(path or table, text)`` of each value that was unexpected, and of each code without a label."""
    for warning in professional.warnings:
        yield warning.path, str(REMARKS[warning.code])
    for table, code in dict.fromkeys(unknown_codes(professional)):
        yield table, gettext("this table has no code %(code)s; it is shown without a label") % {"code": code}


def _shown_step(step: Step, claims: Mapping[str, Any]) -> ShownStep:
    text, source = STEPS.get(step.name) or _rule(step.name)
    reason = reason_of(step.code) if step.code else ""
    return ShownStep(step.status, WORDS[step.status], str(text), source, step.code, reason, _received(step, claims))


def _received(step: Step, claims: Mapping[str, Any]) -> str:
    """Return what the step compared, or the ``auth_time`` that the provider sent, required or not."""
    value = claims.get(step.name)
    if step.name != "auth_time" or not isinstance(value, (int, float)):
        return step.received
    return date_format(datetime.fromtimestamp(value, timezone.get_current_timezone()), "SHORT_DATETIME_FORMAT")


def _rule(name: str) -> tuple[str, str]:
    return gettext(ID_TOKEN_RULES[name]), next(rule.source for rule in RULES if rule.name == name)


def reason_of(code: str) -> str:
    """Return why a login with this code is refused, in an administrator's words or else in those of the error page."""
    if code in CODES:
        return explain(code)
    reasons = {**ACCOUNT_REASONS, **PROBLEMS, **SECRET_PROBLEMS}
    return str(reasons[code] if code in reasons else explanation_of(code).text)
