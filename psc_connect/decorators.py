"""Views for some professionals only: ``@psc_required(profession="10")``, and ``PSCRequiredMixin`` for classes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from functools import partial, wraps
from inspect import isawaitable, unwrap
from types import MethodType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views import View as DjangoView
from django.views.decorators.cache import cache_control
from typing_extensions import Never, Unpack

from psc_connect.access.requirements import RequiredValues, conditions_of, warnings_for
from psc_connect.current_professional import CurrentProfessional, current_professional
from psc_connect.exceptions import new_reference
from psc_connect.login.failures import split_email_addresses
from psc_connect.login.redirects import safe_next
from psc_connect.login.site_urls import activity_url, home_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse
    from typing_extensions import TypedDict

    from psc_connect.professional.conditions import Condition

    class Requirements(TypedDict, total=False):
        """Codes as Pro Santé Connect sends them, or numbers of structures. All that are given must match."""

        profession: RequiredValues
        category: RequiredValues
        speciality: RequiredValues
        mode: RequiredValues
        sector: RequiredValues
        structure: RequiredValues
        department: RequiredValues
        role: RequiredValues
        identifier_kind: RequiredValues
        acr: RequiredValues
        means: RequiredValues


__all__ = ["PSCRequiredMixin", "psc_required"]

logger = logging.getLogger("psc_connect")

View = TypeVar("View", bound="Callable[..., Any]")
NOT_SIGNED_IN, NO_PROFESSIONAL, NOT_CHOSEN, REFUSED = (
    "professional_not_signed_in",
    "professional_missing",
    "professional_activity_not_chosen",
    "professional_refused",
)
EXPLANATIONS = {
    NOT_SIGNED_IN: _("Sign in with Pro Santé Connect."),
    NO_PROFESSIONAL: _("This page is for people signed in with Pro Santé Connect. Sign out, then sign in with it."),
    NOT_CHOSEN: _("Choose your activity first."),
    REFUSED: _(
        "This page is for other professionals. Contact this site’s team, or sign out and sign in with another account."
    ),
}
ANOTHER_ACTIVITY = _("This page is for another of your activities, not the one you have chosen.")


def psc_required(*_unnamed: Never, **requirements: Unpack[Requirements]) -> Callable[[View], View]:
    """Restrict a view to professionals who meet the requirements in their chosen activity. The view may be async.

    Anonymous users are redirected to the login, and those without a chosen activity to its choice. Others get a page
    with the reason. Clients that prefer JSON get a code with status 401 or 403.

    At import: raises ConditionError for invalid values and TypeError for positional arguments, and warns of codes that
    no table has.
    """
    if _unnamed:
        raise TypeError('Write @psc_required(profession="10"), or @psc_required() for every login with PSC.')
    conditions = conditions_of(requirements)  # type: ignore[arg-type]  # a TypedDict is no Mapping of its values' type
    _warn_of_misspellings(conditions)

    def decorate(view: View) -> View:
        if isinstance(view, type):
            raise TypeError(f"{view.__name__} is a class: use PSCRequiredMixin as its first base class.")
        return _restrict(view, conditions)

    return decorate


class PSCRequiredMixin:
    """``psc_required`` for class-based views: ``psc_required = {"profession": "10"}``. Place it before View.

    Without the attribute, every login with Pro Santé Connect is accepted.

    When the class is defined, or ``as_view`` gets another ``psc_required``: raises ConditionError for invalid values,
    ImproperlyConfigured if it is not a mapping or if View is placed first, and warns of codes that no table has.
    """

    psc_required: ClassVar[Mapping[str, RequiredValues]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        parents = [base for base in cls.__bases__ if issubclass(base, PSCRequiredMixin)]
        if issubclass(cls, DjangoView) and cls.__mro__.index(DjangoView) < cls.__mro__.index(PSCRequiredMixin):
            mixin = parents[0].__name__
            raise ImproperlyConfigured(
                f"{cls.__name__} would be open to everyone: View is placed before {mixin} and never calls it. "
                f"Write {mixin} first: class {cls.__name__}({mixin}, …)."
            )
        # An inherited mapping has been checked where it was defined.
        if all(parent.psc_required is not cls.psc_required for parent in parents):
            _warn_of_misspellings(_conditions_of_class(cls.__name__, cls.psc_required))

    @classmethod
    def as_view(cls, *args: Any, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        if "psc_required" in initkwargs:
            _warn_of_misspellings(_conditions_of_class(cls.__name__, initkwargs["psc_required"]))
        view: Callable[..., HttpResponseBase] = super().as_view(*args, **initkwargs)  # type: ignore[misc]
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # At each request: setup() may have set another mapping on the instance.
        conditions = _conditions_of_class(type(self).__name__, self.psc_required)
        return _restrict(super().dispatch, conditions)(request, *args, **kwargs)  # type: ignore[misc]


def _conditions_of_class(name: str, requirements: Any) -> tuple[Condition, ...]:
    if not isinstance(requirements, Mapping):
        raise ImproperlyConfigured(f'{name}.psc_required must be a mapping, such as {{"profession": "10"}}.')
    return conditions_of(requirements)


def _warn_of_misspellings(conditions: tuple[Condition, ...]) -> None:
    """Emit warnings that point at the line of the view: the caller of our caller."""
    for warning in warnings_for(conditions):
        warnings.warn(warning, UserWarning, stacklevel=3)


def _restrict(view: View, conditions: tuple[Condition, ...]) -> View:
    coroutine_function = _coroutine_function(view)
    # Shared caches must not store the page: it depends on the person and the chosen activity.
    private_view = cache_control(private=True)(coroutine_function or view)
    if coroutine_function is not None:

        @wraps(view)
        async def restricted_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            refusal = await sync_to_async(_refusal)(request, conditions)
            return refusal if refusal is not None else await private_view(request, *args, **kwargs)

        return restricted_async  # type: ignore[return-value]

    @wraps(view)
    def restricted(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        refusal = _refusal(request, conditions)
        return refusal if refusal is not None else private_view(request, *args, **kwargs)

    return restricted  # type: ignore[return-value]


def _coroutine_function(view: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return an asynchronous view as a coroutine function, or None if the view is synchronous.

    ``dispatch`` of an asynchronous class is a plain method that returns a coroutine: its view knows that it does.
    """
    if iscoroutinefunction(view):
        return view
    if not getattr(getattr(_bound_method(view), "__self__", None), "view_is_async", False):
        return None

    async def asynchronous(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = view(request, *args, **kwargs)
        # A synchronous decorator of the method may answer in its place.
        return await response if isawaitable(response) else response

    return asynchronous


def _bound_method(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method below the decorators of ``view``: method_decorator() passes them a partial of it."""
    # A bound method, and a partial of it, have the attribute ``__wrapped__`` of the function below.
    view = unwrap(view, stop=lambda each: isinstance(each, (partial, MethodType)))
    return view.func if isinstance(view, partial) else view


def _refusal(request: HttpRequest, conditions: tuple[Condition, ...]) -> HttpResponse | None:
    """Return the response that refuses the request, or None if the professional meets the conditions."""
    current = current_professional(request)
    code = _refusal_code(request, current, conditions)
    if not code:
        return None
    could_change_activity = code == REFUSED and current.could_meet(conditions)
    explanation = ANOTHER_ACTIVITY if could_change_activity else EXPLANATIONS[code]
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        status = 401 if code == NOT_SIGNED_IN else 403
        body = {"error": code, "detail": explanation, "reference": _log_refusal(code, current)}
        return JsonResponse(body, status=status)
    here = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
    if code == NOT_SIGNED_IN:
        return redirect_to_login(here or home_url(), reverse("psc_connect:login"))
    provider = current.account.provider if current.account else None
    change_url = activity_url(provider.slug, safe_next(here)) if provider else ""
    if code == NOT_CHOSEN:
        return HttpResponseRedirect(change_url)
    context = {
        "code": code,
        "reference": _log_refusal(code, current),
        "explanation": explanation,
        "activity_choice": current.activity_choice,
        "contact": split_email_addresses(provider.contact) if provider else [],
        "activity_url": change_url if could_change_activity else "",
        "home_url": home_url(),
    }
    return render(request, "psc_connect/professional_required.html", context, status=403)


def _refusal_code(request: HttpRequest, current: CurrentProfessional, conditions: tuple[Condition, ...]) -> str:
    if not request.user.is_authenticated:
        return NOT_SIGNED_IN
    if not current:
        return NO_PROFESSIONAL
    if current.must_choose:
        return NOT_CHOSEN
    return "" if current.meets(conditions) else REFUSED


def _log_refusal(code: str, current: CurrentProfessional) -> str:
    """Log the refusal, and return its reference."""
    reference = new_reference()
    account = current.account.pk if current.account else "none"
    logger.info("professional.refused code=%s account=%s reference=%s", code, account, reference)
    return reference
