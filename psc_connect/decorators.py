"""Views for some professionals only: ``@psc_required(profession="10")``, and the same for classes."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from typing_extensions import Unpack

from psc_connect.current import Current, Wanted, conditions_of, current
from psc_connect.next_page import safe_next
from psc_connect.origin import activity_url, home_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse
    from typing_extensions import TypedDict

    from psc_connect.professional.conditions import Condition

    class Who(TypedDict, total=False):
        """Codes as Pro Santé Connect sends them, numbers of structures; all of what is given must fit."""

        profession: Wanted
        category: Wanted
        speciality: Wanted
        mode: Wanted
        sector: Wanted
        structure: Wanted
        department: Wanted
        role: Wanted
        identifier_kind: Wanted
        acr: Wanted
        means: Wanted


View = TypeVar("View", bound="Callable[..., Any]")
NOT_SIGNED_IN, NO_PROFESSIONAL, NOT_CHOSEN, REFUSED = (
    "professional_not_signed_in",
    "professional_missing",
    "professional_capacity_not_chosen",
    "professional_refused",
)


def psc_required(**who: Unpack[Who]) -> Callable[[View], View]:
    """Let in whoever is signed in with Pro Santé Connect and is what the arguments say, in the capacity chosen.

    Anybody else gets a page that says why, or JSON with a code where that is what was asked for: 401 or 403. Whoever is
    not signed in is sent to sign in, whoever has yet to choose in what capacity they act to the page that asks. The
    view may be asynchronous. Raises ConditionError, when it is imported, for values that are none.
    """
    wanted = conditions_of(who)  # type: ignore[arg-type]  # a TypedDict is no Mapping of its values' type

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):

            @wraps(view)
            async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                refusal = await sync_to_async(_refusal)(request, wanted)
                return refusal if refusal is not None else _private(await view(request, *args, **kwargs))

            return guarded_async  # type: ignore[return-value]

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            refusal = _refusal(request, wanted)
            return refusal if refusal is not None else _private(view(request, *args, **kwargs))

        return guarded  # type: ignore[return-value]

    return decorate


class PSCRequiredMixin:
    """``psc_required`` for a view of a class: ``psc_required = {"profession": "10"}``; stands before View."""

    psc_required: ClassVar[Mapping[str, Wanted]] = {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        view = super().dispatch  # type: ignore[misc]
        if getattr(self, "view_is_async", False):
            view = _awaiting(view)
        return psc_required(**self.psc_required)(view)(request, *args, **kwargs)


def _private(response: Any) -> Any:
    """Keep caches between the site and its people from giving the page to somebody else, or in another capacity."""
    if isinstance(response, HttpResponseBase):
        patch_cache_control(response, private=True)
    return response


def _awaiting(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    """Make of Django's ``dispatch``, a plain function that returns a coroutine, what is known to be asynchronous."""

    async def view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return await dispatch(request, *args, **kwargs)

    return view


def _refusal(request: HttpRequest, wanted: tuple[Condition, ...]) -> HttpResponse | None:
    who = current(request)
    code = _why_not(request, who, wanted)
    if not code:
        return None
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        status = 401 if code == NOT_SIGNED_IN else 403
        return JsonResponse({"error": code, "detail": _explanation(code)}, status=status)
    here = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
    if code == NOT_SIGNED_IN:
        return redirect_to_login(here or home_url(), reverse("psc_connect:login"))
    if code == NOT_CHOSEN:
        return HttpResponseRedirect(activity_url(_provider(who), safe_next(here)))
    may_change = who.could_meet(wanted)
    context = {
        "code": code,
        "explanation": _explanation(code),
        "capacity": who.capacity,
        "activity_url": activity_url(_provider(who), safe_next(here)) if may_change else "",
        "home_url": home_url(),
    }
    return render(request, "psc_connect/professional_required.html", context, status=403)


def _why_not(request: HttpRequest, who: Current, wanted: tuple[Condition, ...]) -> str:
    if not request.user.is_authenticated:
        return NOT_SIGNED_IN
    if not who:
        return NO_PROFESSIONAL
    if who.must_choose:
        return NOT_CHOSEN
    return "" if who.meets(wanted) else REFUSED


def _provider(who: Current) -> str:
    return who.account.provider.slug if who.account else ""


def _explanation(code: str) -> str:
    return {
        NOT_SIGNED_IN: _("Sign in with Pro Santé Connect."),
        NO_PROFESSIONAL: _(
            "This page is for people who have signed in with Pro Santé Connect. Sign out, then sign in with it."
        ),
        NOT_CHOSEN: _("Say first in what capacity you act."),
        REFUSED: _("This page is for other professionals than you, or for another of your activities."),
    }[code]
