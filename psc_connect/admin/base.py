"""A page of a provider beside its form: found, allowed, and dressed as the rest of the admin."""

from __future__ import annotations

import codecs
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib.admin import DateFieldListFilter
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from typing_extensions import override

from psc_connect.models import Provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import ModelAdmin
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase
    from django.utils.functional import _StrPromise

REPLACE_SECRETS = "psc_connect.replace_provider_secrets"
VIEW_CLAIMS = "psc_connect.view_claims"
LINK_ACCOUNTS = "psc_connect.link_account"
# The ``Media.css`` of every page.
STYLE = {"all": ("psc_connect/admin.css",)}


def administrator(request: HttpRequest) -> User:
    """Return who is signed in: every page of the admin has made sure that somebody is."""
    return cast("User", request.user)


WHY_NOT_USERS = _(
    "These rows write into users and their groups: whoever changes them must be allowed to change users. Ask a "
    "colleague who is."
)


def may_link(request: HttpRequest) -> bool:
    """Whether the administrator may decide as which user somebody signs in: it gives them all that the user may do."""
    return request.user.has_perm(LINK_ACCOUNTS) and may_change_users(request)


def may_change_users(request: HttpRequest) -> bool:
    """Whether the administrator could write into a user by hand: by a row of the mapping they write into all."""
    meta = get_user_model()._meta
    return request.user.has_perm(f"{meta.app_label}.{get_permission_codename('change', meta)}")


class ByDate(DateFieldListFilter):
    """Under a heading that reads as one: the name of a date may be “made on”."""

    @override
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = gettext("date")


class DeclaredFilters:
    """A list that is asked by its filters alone: any other question in its address would be one about what is kept."""

    list_filter: ClassVar[Any] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        declared = {each if isinstance(each, str) else each[0] for each in self.list_filter}
        is_declared = lookup.partition("__")[0] in declared
        return is_declared and super().lookup_allowed(lookup, value, request)  # type: ignore[misc]


def provider_url(model_admin: ModelAdmin[Provider], name: str, *args: Any) -> str:
    """Return the address of one of the providers' pages, in the admin site that ``model_admin`` belongs to."""
    return reverse(f"admin:psc_connect_provider_{name}", args=args, current_app=model_admin.admin_site.name)


# No transaction is open while a provider is waited for.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class AdminPage(View):
    """A page beside those that Django's admin has. ``title`` stands in the heading and in the browser's tab."""

    # Given to as_view(), which takes what the class has already.
    model_admin: ModelAdmin[Any] = cast("ModelAdmin[Any]", None)
    template_name: ClassVar[str] = ""
    title: ClassVar[_StrPromise | str] = ""

    def render(self, request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
        admin_site = self.model_admin.admin_site
        common = {
            **admin_site.each_context(request),
            "opts": self.model_admin.opts,
            "media": self.model_admin.media,
            "title": self.title,
            "subtitle": "",
            "original": None,
        }
        request.current_app = admin_site.name
        return TemplateResponse(request, self.template_name, {**common, **context}, status=status)

    def url(self, name: str, *args: Any) -> str:
        return provider_url(self.model_admin, name, *args)


# Once more, since the mark of the base class's dispatch() is not inherited by one that overrides it.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class ProviderPage(AdminPage):
    """A page of one provider, for whoever may change it, or only look at it."""

    name: ClassVar[str] = ""
    for_who_may: ClassVar[str] = "change"
    provider: Provider

    @override
    def dispatch(self, request: HttpRequest, *args: Any, object_id: str = "", **kwargs: Any) -> HttpResponseBase:
        provider = self.model_admin.get_object(request, unquote(object_id))
        if provider is None:
            raise Http404
        if not getattr(self.model_admin, f"has_{self.for_who_may}_permission")(request, provider):
            raise PermissionDenied
        self.provider = provider
        return super().dispatch(request, *args, **kwargs)

    @override
    def render(self, request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
        shown = {
            "original": self.provider,
            "subtitle": str(self.provider),
            "may_change": self.model_admin.has_change_permission(request, self.provider),
            "may_replace_secrets": request.user.has_perm(REPLACE_SECRETS),
            "may_view_claims": request.user.has_perm(VIEW_CLAIMS),
        }
        return super().render(request, status=status, **{**shown, **context})

    def to(self, name: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.url(name, self.provider.pk))


class TooLargePage(AdminPage):
    """What somebody is told who pasted more than the site takes in one form."""

    template_name = "admin/psc_connect/provider/too_large.html"
    title = _("What was sent is too large")


def bounded(model_admin: ModelAdmin[Any], view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Answer a form that is too large with a page that says so; Django would answer with nothing but a status.

    One that says to be in another encoding than UTF-8 comes from no browser, and could hold what UTF-8 cannot: 400.
    Django's middleware reads the whole form for its CSRF token: it is told to leave that to ``view``, which does it.
    """

    @csrf_exempt
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.encoding is not None and codecs.lookup(request.encoding).name != "utf-8":
            raise BadRequest("forms are sent in UTF-8")
        try:
            request.POST  # noqa: B018 - Django reads the form here
        except (RequestDataTooBig, TooManyFieldsSent):
            if not model_admin.admin_site.has_permission(request):
                raise
            return TooLargePage(model_admin=model_admin).render(request, status=413)
        return view(request, *args, **kwargs)

    return checked
