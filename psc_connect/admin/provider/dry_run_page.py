"""The dry run: begun here, ended by the callback, read here."""

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
from psc_connect.dry_run import run
from psc_connect.dry_run.preview import preview_login
from psc_connect.error_messages import explain
from psc_connect.exceptions import LoginRefused
from psc_connect.fields import SECRET_PROBLEMS
from psc_connect.login.authorization_request import is_visit
from psc_connect.login.session import is_in_cookie
from psc_connect.login.site_urls import is_other_host, site_origin
from psc_connect.oidc.error_codes import CODES, ID_TOKEN_RULES
from psc_connect.oidc.errors import MetadataError
from psc_connect.oidc.id_token import RULES
from psc_connect.professional.professional import unknown_codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrPromise

    from psc_connect.admin.outcomes import Shown
    from psc_connect.dry_run.preview import LoginPreview
    from psc_connect.dry_run.run import DryRun, Step
    from psc_connect.professional.professional import Professional

WORDS = {
    run.PASSED: _("passed"),
    run.FAILED: _("failed"),
    run.NOT_REACHED: _("not reached"),
    run.NOT_DEMANDED: _("not demanded"),
}
STEPS = {
    "state": (_("The answer belongs to this dry run (state)."), "RFC 6749 4.1.2"),
    "answer_issuer": (_("The answer is this provider's (iss)."), "RFC 9207"),
    "code": (_("The provider gave an authorization code."), "RFC 6749 4.1.2"),
    "token": (_("The token endpoint gave tokens for the code and this client's secret."), "OpenID Connect Core 3.1.3"),
    "signature": (_("The ID token is signed with a key of the provider."), "OpenID Connect Core 3.1.3.7 (6)–(8)"),
    "userinfo": (_("The userinfo endpoint answered."), "OpenID Connect Core 5.3"),
    "same_person": (_("The userinfo is about the person of the ID token (sub)."), "OpenID Connect Core 5.3.2"),
}
OUTCOMES = {
    "returning": _("This person would be signed in as the user whose account they have already."),
    "found_again": _(
        "This person would be signed in as the user whose account they have already: it has another sub, and is found "
        "again by an identifier."
    ),
    "matched": _("This person would be linked to the user who has their RPPS number, and signed in."),
    "linked": _("This person would be linked to a user whom the site's own code finds, and signed in."),
    "created": _("A new user would be created for this person, and signed in."),
    "refused": _("This person would be refused."),
}
# Why whoever the provider names is not let in, for whoever can do something about it.
ACCOUNT_REASONS = {
    "account_unknown": _("The person has no account here, and “create unknown users” is off."),
    "account_inactive": _("The user of this person is deactivated."),
    "account_ambiguous": _("Several users fit this person: by their RPPS number, or by the site's own code."),
    "account_identifiers_conflict": _(
        "The sub and the identifiers of this person lead to several accounts: merge them, on the page of one of them."
    ),
    "account_link_privileged": _(
        "The user with this RPPS number administers the site: link the account by hand, or let the provider do it."
    ),
    "account_already_linked": _("The user with this RPPS number has another account already, of whatever issuer."),
    "account_link_field_unknown": _("The user model no longer has the field in which RPPS numbers are looked for."),
    "userinfo_identifier_mismatch": _("The ID token and the userinfo name different national identifiers."),
    "userinfo_identifiers_contradict": _("The userinfo names two different RPPS numbers."),
    "account_claims_refused": _("The site's own code (verify_claims) refuses these claims."),
    "account_username_missing": _("No exported attribute fills the username of a new user."),
    "access_refused": _("The access rules refuse this person."),
    "access_rule_malformed": _("An access rule cannot be read: whoever comes to it is refused."),
}
NOT_STARTED = _("The dry run could not begin. %(reason)s")


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
    """The way to the provider. A link, not a form: a strict `form-action` would stop what follows a form."""

    name = "begin_dry_run"

    def get(self, request: HttpRequest) -> HttpResponse:
        if not is_visit(request):
            raise PermissionDenied
        if is_in_cookie(request.session):
            text = gettext("The sessions of this site are cookies, in which it cannot be kept: change SESSION_ENGINE.")
            messages.error(request, NOT_STARTED % {"reason": text})
            return self.to("dry_run")
        try:
            if is_other_host(request):
                text = gettext("The provider sends browsers back to %(origin)s: open the administration there.")
                text %= {"origin": site_origin(request)}
                messages.error(request, NOT_STARTED % {"reason": text})
                return self.to("dry_run")
            return run.begin(request, self.provider)
        except MetadataError as exc:
            messages.error(request, NOT_STARTED % {"reason": explain(exc.code)})
        except LoginRefused:
            text = gettext("Set PSC_CONNECT_BASE_URL: the addresses of this site are not known for certain.")
            messages.error(request, NOT_STARTED % {"reason": text})
        return self.to("dry_run")


# By the code of a ReadingWarning.
REMARKS = {
    "type_unexpected": _("of another type than Pro Santé Connect sends; as far as it is no text, it is set aside"),
    "value_twice": _("said twice, not the same; the newer place counts"),
    "identifier_unknown": _("of no known kind of identifier; it is kept, and finds no account"),
}


class DryRunPage(ProviderPage):
    """What the last dry run of this administrator found, judged by the mapping as it is now."""

    name = "dry_run"
    title = _("Dry run")
    template_name = "admin/psc_connect/provider/dry_run.html"

    @sensitive_variables()
    def get(self, request: HttpRequest) -> HttpResponse:
        found = run.last_run(request, self.provider)
        if found is None:
            return self.render(request, found=None)
        may_see = request.user.has_perm(VIEW_CLAIMS)
        revealed = may_see and "reveal" in request.GET
        both = {"userinfo": found.claims, "id_token": found.id_token_claims}
        shown: Shown = (lambda value: value) if revealed else masker(both)
        return self.render(
            request,
            found=found,
            made_at=timezone.localtime(datetime.fromisoformat(found.made_at)),
            steps=[_shown_step(step, found.id_token_claims if may_see else {}) for step in found.steps],
            reason=reason_of(found.code) if found.code else "",
            revealed=revealed,
            claims=[(name, indented(shown(claims))) for name, claims in both.items() if claims] if may_see else [],
            **self._preview(request, found, shown if may_see else None),
        )

    @sensitive_variables()
    def _preview(self, request: HttpRequest, found: DryRun, shown: Shown | None) -> dict[str, Any]:
        """Say what would come of the claims; without ``shown`` no row of it, since a row can ask what they are."""
        # Every name of the template: of one that is missing Django logs all the others, claims included.
        told: dict[str, Any] = {
            "outcome": "",
            "preview": None,
            "refusal": "",
            "username": "",
            "attributes": [],
            "groups": [],
            "access": "",
            "tried": [],
            "remarks": [],
        }
        if not found.claims:
            return told
        acr = str(found.id_token_claims.get("acr", ""))
        preview = preview_login(
            request, self.provider, found.subject, claims=found.claims, id_token_claims=found.id_token_claims
        )
        told |= {
            "outcome": OUTCOMES[preview.outcome],
            "preview": preview,
            "refusal": reason_of(preview.code) if preview.code else "",
        }
        if shown is None:
            return told
        return told | {
            "username": shown(preview.user.get_username()) if preview.user else "",
            "attributes": [shown_attribute(row, verdict, shown) for row, verdict in preview.attributes],
            "groups": preview.groups,
            **self._access(preview, acr, shown),
        }

    @sensitive_variables()
    def _access(self, preview: LoginPreview, acr: str, shown: Shown) -> dict[str, Any]:
        if preview.access is None:
            return {}
        rules, decision = RuleSet(self.provider, preview.access.rules), preview.access.decision
        return {
            "access": rules.in_words(decision),
            "tried": [rules.person("", preview.access.professional, acr=acr, shown=shown)],
            "remarks": list(_remarks(preview.access.professional)),
        }


def _remarks(professional: Professional) -> Iterator[tuple[str, str]]:
    """Yield where something was not as expected, or which table lacks a code, and what became of it."""
    for warning in professional.warnings:
        yield warning.path, str(REMARKS[warning.code])
    for table, code in dict.fromkeys(unknown_codes(professional)):
        yield table, gettext("no code %(code)s in this table; it is shown without a label") % {"code": code}


def _shown_step(step: Step, claims: Mapping[str, Any]) -> ShownStep:
    text, source = STEPS.get(step.name) or _rule(step.name)
    reason = reason_of(step.code) if step.code else ""
    return ShownStep(step.status, WORDS[step.status], str(text), source, step.code, reason, _received(step, claims))


def _received(step: Step, claims: Mapping[str, Any]) -> str:
    """What the provider said, demanded or not, of how and when the person was identified."""
    value = claims.get(step.name)
    if step.name == "acr" and isinstance(value, str):
        return value
    if step.name != "auth_time" or not isinstance(value, int):
        return ""
    try:
        return date_format(datetime.fromtimestamp(value, timezone.get_current_timezone()), "SHORT_DATETIME_FORMAT")
    # A time of no calendar.
    except (ValueError, OverflowError, OSError):
        return str(value)


def _rule(name: str) -> tuple[str, str]:
    return gettext(ID_TOKEN_RULES[name]), next(rule.source for rule in RULES if rule.name == name)


def reason_of(code: str) -> str:
    """Say why a sign-in with this code is refused: in an administrator's words, else in those of the page."""
    if code in CODES:
        return explain(code)
    own = {**ACCOUNT_REASONS, **PROBLEMS, **SECRET_PROBLEMS}
    return str(own[code] if code in own else LoginRefused(code).explanation.text)
