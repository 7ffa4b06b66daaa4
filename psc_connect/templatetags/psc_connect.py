"""Template tags for a site's own pages: login and logout buttons, chosen activity, access test, labels of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _

from psc_connect.access.requirements import conditions_of
from psc_connect.current_professional import current_professional
from psc_connect.login.redirects import safe_next
from psc_connect.login.session import session_login
from psc_connect.login.site_urls import activity_url, login_link
from psc_connect.models import Provider
from psc_connect.professional.coded_values import Code, label
from psc_connect.professional.nomenclatures import UnknownTableError

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.template.context import Context

register = template.Library()


@register.inclusion_tag("psc_connect/buttons.html", takes_context=True)
def psc_connect_button(context: Context, provider: str = "", next: str = "") -> dict[str, Any]:  # noqa: A002 - the word of the query
    """Show the login button of each enabled provider, or of the one with this slug; nothing if there is none.

    After the login, the browser goes to ``next``, else to the page's ``?next=``, else back to the page itself.
    Costs one SQL query. The site's page must link ``psc_connect/psc_connect.css``.
    """
    enabled = Provider.objects.filter(enabled=True)
    rows = list(enabled.filter(slug=provider) if provider else enabled)
    next_page = _next_page(context.get("request"), next)
    environments = [row.environment for row in rows]
    return {"buttons": [_button(row, next_page, among=environments) for row in rows]}


@register.inclusion_tag("psc_connect/logout_button.html", takes_context=True)
def psc_connect_logout_button(
    context: Context,
    text: str = "",
    only_psc: bool = False,  # noqa: FBT001, FBT002 - a template names it
    other_person: bool = False,  # noqa: FBT001, FBT002
) -> dict[str, Any]:
    """Show the logout button. It ends this session and, after a login with Pro Santé Connect, the session there.

    Nothing for anonymous users, or without a provider. Costs one SQL query for users signed in another way.
    ``text``: the button's text instead of “Sign out”. ``only_psc``: show nothing to users signed in another way.
    ``other_person``: for a page that refuses the person. After a login with Pro Santé Connect, a second button goes on
    to the login of another person, who then gets to this page.
    """
    request = context.get("request")
    slug = ""
    if request is not None and request.user.is_authenticated:
        slug = _provider_to_sign_out_of(request, only_psc=only_psc)
        other_person = other_person and bool(session_login(request).provider)
    return {
        "url": reverse("psc_connect:logout", args=[slug]) if slug else "",
        "text": text or (_("Close my Pro Santé Connect session too") if other_person else _("Sign out")),
        "then": "",
        "other_person": other_person,
        "next": _next_page(request, "") if other_person else "",
        "id_token": "",
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("psc_connect/activity_link.html", takes_context=True)
def psc_connect_activity(context: Context) -> dict[str, Any]:
    """Show the chosen activity, with a link to change it if there are several.

    Nothing for users signed in another way or without professional data. Costs one SQL query for the others.
    """
    request = context.get("request")
    current = current_professional(request) if request is not None else None
    if current is None or current.account is None:
        return {"activity_choice": None, "url": ""}
    activity_choices = current.professional.activity_choices
    may_change = current.may_choose and (len(activity_choices) > 1 or current.activity_choice is None)
    url = activity_url(current.account.provider.slug, _next_page(request, "")) if may_change else ""
    return {"activity_choice": current.activity_choice, "url": url}


@register.simple_tag(takes_context=True)
def psc_allows(context: Context, **requirements: str) -> bool:
    """Return whether the person meets ``@psc_required`` with the same arguments; separate several codes by commas.

    ``{% psc_allows profession="10,40" as is_prescriber %}{% if is_prescriber %}…``
    """
    request = context.get("request")
    if request is None:
        return False
    conditions = conditions_of({subject: codes.split(",") for subject, codes in requirements.items()})
    return current_professional(request).meets(conditions)


@register.filter
def psc_label(code: object, kind: str = "") -> str:
    """Show the label of a code: ``{{ "10"|psc_label:"profession" }}``, ``{{ activity.mode|psc_label }}``.

    ``kind`` is a subject, or ANS's name of a table. A code that no table has is shown itself, so that data cannot break
    a page. Raises TemplateSyntaxError for an unknown ``kind``: the template has a misspelling.
    """
    if code is None:
        return ""
    given = code if isinstance(code, Code) else str(code)
    try:
        return label(given, kind)
    except UnknownTableError as exc:
        raise template.TemplateSyntaxError(f"psc_label: {exc}") from exc


def _provider_to_sign_out_of(request: HttpRequest, *, only_psc: bool) -> str:
    opened_by = session_login(request).provider
    if opened_by or only_psc:
        return opened_by
    # The logout of a provider that did not open this session ends the session of this site alone.
    return Provider.objects.values_list("slug", flat=True).first() or ""


def _next_page(request: HttpRequest | None, requested: str) -> str:
    if requested or request is None:
        return safe_next(requested)
    # The response to a POST cannot be shown again with a GET.
    here = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
    return safe_next(request.GET.get("next")) or safe_next(here)


def _button(row: Provider, next_page: str, *, among: list[str]) -> dict[str, str]:
    """Return the context of ``psc_connect/button.html``. ``environment`` is "" if there is one button only."""
    # Distinguishes the buttons of a page: a single one shows nothing, two of one environment show their slugs too.
    environment = "" if len(among) == 1 else row.get_environment_display()
    if among.count(row.environment) > 1:
        environment = f"{environment} – {row.slug}"
    return {
        "url": login_link(row.slug, next_page),
        "text": row.in_language("button_text"),
        "tooltip": row.in_language("button_tooltip"),
        "logo": _logo_url(row.button_logo),
        "provider": row.slug,
        "environment": environment,
    }


def _logo_url(path: str) -> str:
    try:
        return static(path) if path else ""
    # ManifestStaticFilesStorage does not know the file: show the default logo rather than an error.
    except ValueError:
        return ""
