"""Base classes of the admin pages beside Django's, with the permissions that they need."""

from __future__ import annotations

import codecs
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from typing_extensions import override

from psc_connect.claims.budget import REQUEST_STEPS, shared_budget
from psc_connect.models import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase
    from django.urls import URLPattern
    from django.utils.functional import _StrPromise

REPLACE_SECRETS = "psc_connect.replace_provider_secrets"
VIEW_CLAIMS = "psc_connect.view_claims"
LINK_ACCOUNTS = "psc_connect.link_account"
if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
    ModelForm = forms.ModelForm
else:
    # Django's own classes have no type parameter when they run.
    class ModelAdmin(admin.ModelAdmin):
        def __class_getitem__(cls, _model: object) -> type:
            return cls

    class ModelForm(forms.ModelForm):
        def __class_getitem__(cls, _model: object) -> type:
            return cls


# The ``Media.css`` of every page.
STYLE = {"all": ("psc_connect/admin.css",)}
OBJECT_ROUTE = "<path:object_id>/"


def administrator(request: HttpRequest) -> User:
    """Return the signed-in user: the admin serves its pages to no one else."""
    return cast("User", request.user)


WHY_NOT_USERS = _(
    "These rows change users and their groups, which takes the permission to change users. Ask a colleague who has it."
)


def may_link(request: HttpRequest) -> bool:
    """Return whether the administrator may choose the user of an account, which gives all permissions of that user."""
    return request.user.has_perm(LINK_ACCOUNTS) and may_change_users(request)


def may_change_users(request: HttpRequest) -> bool:
    """Return whether the administrator may change users: a row of the mapping changes all of them."""
    meta = get_user_model()._meta
    return request.user.has_perm(f"{meta.app_label}.{get_permission_codename('change', meta)}")


class DateFilter(admin.DateFieldListFilter):
    """A date filter with the title “date”: the name of the field, such as “made on”, reads badly in a heading."""

    @override
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = gettext("date")


class DeclaredFilters:
    """Allows only lookups listed in ``list_filter``: other lookups in the URL could reveal masked values."""

    list_filter: ClassVar[Any] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        declared = {item if isinstance(item, str) else item[0] for item in self.list_filter}
        is_declared = lookup.partition("__")[0] in declared
        return is_declared and super().lookup_allowed(lookup, value, request)  # type: ignore[misc]


def page_url(model_admin: ModelAdmin[Any], name: str, *args: Any) -> str:
    """Return the URL of a page of the model of ``model_admin``, in its admin site."""
    return reverse(f"admin:{_url_name(model_admin, name)}", args=args, current_app=model_admin.admin_site.name)


def _url_name(model_admin: ModelAdmin[Any], name: str) -> str:
    return f"{model_admin.opts.app_label}_{model_admin.opts.model_name}_{name}"


class AdminPage(View):
    """A page beside those of Django's admin. ``title``: the text of the heading and of the browser's tab."""

    name: ClassVar[str] = ""
    # Before the name in the URL.
    route: ClassVar[str] = ""
    # Given to as_view(), which accepts only names of class attributes.
    model_admin: ModelAdmin[Any] = cast("ModelAdmin[Any]", None)
    template_name: ClassVar[str] = ""
    title: ClassVar[_StrPromise | str] = ""

    def render(self, request: HttpRequest, **context: Any) -> HttpResponse:
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
        return TemplateResponse(request, self.template_name, {**common, **context})

    def url(self, name: str, *args: Any) -> str:
        return page_url(self.model_admin, name, *args)

    def object_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """Return the object of the URL. Raises Http404."""
        found = self.model_admin.get_object(request, unquote(object_id))
        if found is None:
            raise Http404
        return found


class ProviderPage(AdminPage):
    """A page of one provider. ``permission``: the permission that it takes, ``change`` or ``view``."""

    route = OBJECT_ROUTE
    permission: ClassVar[str] = "change"
    provider: Provider

    @override
    def dispatch(self, request: HttpRequest, *args: Any, object_id: str = "", **kwargs: Any) -> HttpResponseBase:
        provider = self.object_or_404(request, object_id)
        if not getattr(self.model_admin, f"has_{self.permission}_permission")(request, provider):
            raise PermissionDenied
        self.provider = provider
        return super().dispatch(request, *args, **kwargs)

    @override
    def render(self, request: HttpRequest, **context: Any) -> HttpResponse:
        shown = {
            "original": self.provider,
            "subtitle": str(self.provider),
            "may_change": self.model_admin.has_change_permission(request, self.provider),
        }
        return super().render(request, **{**shown, **context})

    def to(self, name: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.url(name, self.provider.pk))


class TooLargePage(AdminPage):
    """Says that a form is larger than the site accepts."""

    template_name = "admin/psc_connect/provider/too_large.html"
    title = _("The form is too large")


def urls_with_pages(
    model_admin: ModelAdmin[Any], pages: Iterable[type[AdminPage]], patterns: Iterable[URLPattern]
) -> list[URLPattern]:
    """Return the URL patterns of these pages, then Django's; all of them refuse a form that is too large."""
    own = [
        path(
            f"{page.route}{page.name.replace('_', '-')}/",
            # A page may wait for a provider, and must not hold a transaction meanwhile.
            transaction.non_atomic_requests(model_admin.admin_site.admin_view(page.as_view(model_admin=model_admin))),
            name=_url_name(model_admin, page.name),
        )
        for page in pages
    ]
    found = [*own, *patterns]
    for pattern in found:
        pattern.callback = _bounded(model_admin, pattern.callback)
    return found


def _bounded(model_admin: ModelAdmin[Any], view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return a view with a budget of steps, that answers a form that is too large with a page.

    A form in another encoding than UTF-8 is answered with status 400: no browser sends one, and it could hold
    characters that UTF-8 cannot encode. Django's CSRF middleware would read the form first, so that it is exempted
    here: every view of the admin checks the token itself.
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
            response = TooLargePage(model_admin=model_admin).render(request)
            response.status_code = 413
            return response
        with shared_budget(REQUEST_STEPS):
            return view(request, *args, **kwargs)

    return checked
