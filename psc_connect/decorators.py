"""Views for some professionals only: ``@psc_required(profession="10")``, and the same for classes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views import View as DjangoView
from typing_extensions import Never, Unpack

from psc_connect.access.requirements import Wanted, conditions_of, warnings_for
from psc_connect.current_professional import Current, current
from psc_connect.exceptions import new_reference
from psc_connect.login.failures import with_addresses
from psc_connect.login.redirects import safe_next
from psc_connect.login.site_urls import activity_url, home_url

if TYPE_CHECKING:
    from collections.abc import Callable

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


logger = logging.getLogger("psc_connect")

View = TypeVar("View", bound="Callable[..., Any]")
NOT_SIGNED_IN, NO_PROFESSIONAL, NOT_CHOSEN, REFUSED = (
    "professional_not_signed_in",
    "professional_missing",
    "professional_activity_not_chosen",
    "professional_refused",
)


def psc_required(*_unnamed: Never, **who: Unpack[Who]) -> Callable[[View], View]:
    """Let in whoever is signed in with Pro Santé Connect and is what the arguments say, in the capacity chosen.

    Anybody else gets a page that says why, or JSON with a code where that is what was asked for: 401 or 403. Whoever is
    not signed in is sent to sign in, whoever has yet to choose in what capacity they act to the page that asks. The
    view may be asynchronous. When it is imported: raises ConditionError for values that are none, TypeError for values
    without a name; warns of codes that no table has.
    """
    if _unnamed:
        raise TypeError('Write @psc_required(profession="10"), or @psc_required() for whoever came with PSC.')
    wanted = conditions_of(who)  # type: ignore[arg-type]  # a TypedDict is no Mapping of its values' type
    _warn(wanted)

    def decorate(view: View) -> View:
        if isinstance(view, type):
            raise TypeError(f"{view.__name__} is a class: let it begin with PSCRequiredMixin instead.")
        return _guarded(view, wanted)

    return decorate


class PSCRequiredMixin:
    """``psc_required`` for a view of a class: ``psc_required = {"profession": "10"}``; stands before View.

    Without the attribute, whoever came with Pro Santé Connect is let in. When the class is made, or ``as_view`` is
    called with another ``psc_required``: raises ConditionError for values that are none, ImproperlyConfigured where it
    is no mapping or View stands first; warns of codes that no table has.
    """

    psc_required: ClassVar[Mapping[str, Wanted]] = {}
    # What was read, and the conditions that it makes.
    _psc_conditions: ClassVar[tuple[Mapping[str, Wanted], tuple[Condition, ...]]] = (psc_required, ())

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if issubclass(cls, DjangoView) and cls.__mro__.index(DjangoView) < cls.__mro__.index(PSCRequiredMixin):
            mixin = next(base.__name__ for base in cls.__bases__ if issubclass(base, PSCRequiredMixin))
            raise ImproperlyConfigured(
                f"{cls.__name__} would be open to everybody: {mixin} stands after View, which never asks it. "
                f"Write it first: class {cls.__name__}({mixin}, …)."
            )
        # What is inherited has been read, and warned of, where it was written.
        if cls.psc_required is not cls._psc_conditions[0]:
            cls._psc_conditions = (cls.psc_required, _conditions_of_class(cls.__name__, cls.psc_required))
            _warn(cls._psc_conditions[1])

    @classmethod
    def as_view(cls, *args: Any, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        if "psc_required" in initkwargs:
            asked = initkwargs["psc_required"]
            initkwargs["_psc_conditions"] = (asked, _conditions_of_class(cls.__name__, asked))
            _warn(initkwargs["_psc_conditions"][1])
        view: Callable[..., HttpResponseBase] = super().as_view(*args, **initkwargs)  # type: ignore[misc]
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        view = super().dispatch  # type: ignore[misc]
        if getattr(self, "view_is_async", False):
            view = _awaiting(view)
        asked, wanted = self._psc_conditions
        # The view may have put another one there since: none that is older opens it.
        if self.psc_required is not asked:
            wanted = _conditions_of_class(type(self).__name__, self.psc_required)
        return _guarded(view, wanted)(request, *args, **kwargs)


def _conditions_of_class(name: str, asked: Any) -> tuple[Condition, ...]:
    if not isinstance(asked, Mapping):
        raise ImproperlyConfigured(f'{name}.psc_required must be a mapping, such as {{"profession": "10"}}.')
    return conditions_of(asked)


def _warn(wanted: tuple[Condition, ...]) -> None:
    """Point at the line that called ours: at the view."""
    for doubt in warnings_for(wanted):
        warnings.warn(doubt, UserWarning, stacklevel=3)


def _guarded(view: View, wanted: tuple[Condition, ...]) -> View:
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
    another_would_do = code == REFUSED and who.could_meet(wanted)
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        status = 401 if code == NOT_SIGNED_IN else 403
        detail = _explanation(code, another_would_do=another_would_do)
        return JsonResponse({"error": code, "detail": detail, "reference": _noted(code, who)}, status=status)
    here = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
    if code == NOT_SIGNED_IN:
        return redirect_to_login(here or home_url(), reverse("psc_connect:login"))
    if code == NOT_CHOSEN:
        return HttpResponseRedirect(activity_url(_provider(who), safe_next(here)))
    context = {
        "code": code,
        "reference": _noted(code, who),
        "explanation": _explanation(code, another_would_do=another_would_do),
        "activity_choice": who.activity_choice,
        "contact": with_addresses(who.account.provider.contact) if who.account else [],
        "activity_url": activity_url(_provider(who), safe_next(here)) if another_would_do else "",
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


def _noted(code: str, who: Current) -> str:
    """Leave the trace of a refusal, and return its reference."""
    reference = new_reference()
    account = who.account.pk if who.account else "none"
    logger.info("professional.refused code=%s account=%s reference=%s", code, account, reference)
    return reference


def _provider(who: Current) -> str:
    return who.account.provider.slug if who.account else ""


def _explanation(code: str, *, another_would_do: bool) -> str:
    if another_would_do:
        return _("This page is for another of your activities than the one in which you act.")
    return {
        NOT_SIGNED_IN: _("Sign in with Pro Santé Connect."),
        NO_PROFESSIONAL: _(
            "This page is for people who have signed in with Pro Santé Connect. Sign out, then sign in with it."
        ),
        NOT_CHOSEN: _("Say first in what capacity you act."),
        REFUSED: _(
            "This page is for other professionals than you. Ask the team of this site, or sign out to come back as "
            "somebody else."
        ),
    }[code]
