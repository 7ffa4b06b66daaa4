"""What a site puts into its own pages: the buttons, the activity, what only some see, the labels of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _

from psc_connect.access.requirements import conditions_of
from psc_connect.current_professional import current
from psc_connect.login.redirects import safe_next
from psc_connect.login.session import kept_login
from psc_connect.login.site_urls import activity_url, login_url
from psc_connect.models import Provider
from psc_connect.professional.coded_values import Code, label
from psc_connect.professional.nomenclatures import UnknownTableError

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.template.context import Context

register = template.Library()


@dataclass(frozen=True, slots=True)
class Button:
    """What ``psc_connect/button.html`` shows. ``environment`` is "" where the button stands alone."""

    url: str
    text: str
    tooltip: str
    logo: str
    provider: str
    environment: str


@register.inclusion_tag("psc_connect/buttons.html", takes_context=True)
def psc_connect_button(context: Context, provider: str = "", next: str = "") -> dict[str, Any]:  # noqa: A002 - the word of the query
    """Show the button of each enabled provider, or of the one with this slug; nothing where there is none.

    After the login the person is back on ``next``, else on the page that ``?next=`` names, else on this one.
    Costs one SQL query. The site's page links ``psc_connect/psc_connect.css``.
    """
    enabled = Provider.objects.filter(enabled=True)
    rows = list(enabled.filter(slug=provider) if provider else enabled)
    next_page = _next_page(context.get("request"), next)
    environments = [row.environment for row in rows]
    return {"buttons": [_button(row, next_page, among=environments) for row in rows]}


@register.inclusion_tag("psc_connect/logout_button.html", takes_context=True)
def psc_connect_logout_button(context: Context, text: str = "", only_psc: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - a template names it
    """Show the button that ends this session and, for who came with Pro Santé Connect, the session there.

    Nothing where nobody is signed in, or no provider is declared. Costs one SQL query for who came another way.
    ``text``: what it says instead of “Sign out”, where another button of the page signs out as well; ``only_psc``:
    nothing for who came another way.
    """
    request = context.get("request")
    slug = ""
    if request is not None and request.user.is_authenticated:
        slug = _provider_to_sign_out_of(request, only_psc=only_psc)
    return {
        "url": reverse("psc_connect:logout", args=[slug]) if slug else "",
        "text": text or _("Sign out"),
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("psc_connect/activity_link.html", takes_context=True)
def psc_connect_activity(context: Context) -> dict[str, Any]:
    """Show in what capacity the person acts, with a link to change it where there are several.

    Nothing for who came another way or has no professional data. Costs one SQL query for who came with PSC.
    """
    request = context.get("request")
    who = current(request) if request is not None else None
    if who is None or who.account is None:
        return {"activity_choice": None, "url": ""}
    activity_choices = who.professional.activity_choices
    may_change = len(activity_choices) > 1 or (activity_choices and who.activity_choice is None)
    url = activity_url(who.account.provider.slug, _next_page(request, "")) if may_change else ""
    return {"activity_choice": who.activity_choice, "url": url}


@register.simple_tag(takes_context=True)
def psc_allows(context: Context, **who: str) -> bool:
    """Whether the person is what ``@psc_required`` of the same arguments asks; several codes are parted by commas.

    ``{% psc_allows profession="10,40" as is_prescriber %}{% if is_prescriber %}…``
    """
    request = context.get("request")
    if request is None:
        return False
    wanted = conditions_of({subject: codes.split(",") for subject, codes in who.items()})
    return current(request).meets(wanted)


@register.filter
def psc_label(code: object, kind: str = "") -> str:
    """Show the label of a code: ``{{ "10"|psc_label:"profession" }}``, ``{{ activity.mode|psc_label }}``.

    ``kind`` is a subject or a table by ANS's name. Where no table has the code, the code is shown: no page fails on its
    data. Raises TemplateSyntaxError for a kind that is neither: whoever wrote the page has misspelt it.
    """
    if code is None:
        return ""
    given = code if isinstance(code, Code) else str(code)
    try:
        return label(given, kind)
    except UnknownTableError as exc:
        raise template.TemplateSyntaxError(f"psc_label: {exc}") from exc


def _provider_to_sign_out_of(request: HttpRequest, *, only_psc: bool) -> str:
    opened_by = kept_login(request).provider
    if opened_by or only_psc:
        return opened_by
    # The sign-out of a provider at which this session has nothing ends the session of this site alone.
    return Provider.objects.values_list("slug", flat=True).first() or ""


def _next_page(request: HttpRequest | None, wanted: str) -> str:
    if wanted or request is None:
        return safe_next(wanted)
    # A page that answered a POST cannot be come back to by a GET.
    here = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
    return safe_next(request.GET.get("next")) or safe_next(here)


def _button(row: Provider, next_page: str, *, among: list[str]) -> Button:
    # What tells it from the others: nothing where it is alone, its identifier too where its environment does not.
    environment = "" if len(among) == 1 else row.get_environment_display()
    if among.count(row.environment) > 1:
        environment = f"{environment} – {row.slug}"
    return Button(
        url=login_url(row.slug, next_page),
        text=row.in_language("button_text") or _("Sign in with Pro Santé Connect"),
        tooltip=row.in_language("button_tooltip"),
        logo=_logo_url(row.button_logo),
        provider=row.slug,
        environment=environment,
    )


def _logo_url(path: str) -> str:
    try:
        return static(path) if path else ""
    # A manifest of static files knows no such file: our drawing is better than a site that does not answer.
    except ValueError:
        return ""
