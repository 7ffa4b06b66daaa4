"""A site with pages for some professionals only."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from psc_connect.current_professional import PSCRequest
from psc_connect.decorators import PSCRequiredMixin, psc_required
from tests.urls import urlpatterns as common


@psc_required(profession="10")
def doctors(request: HttpRequest) -> HttpResponse:
    return HttpResponse("for doctors")


@psc_required(profession=["10", "80"], mode="L")
def in_private_practice(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in private practice")


@psc_required()
def professionals(request: HttpRequest) -> HttpResponse:
    return HttpResponse("for whoever came with Pro Santé Connect")


@psc_required(profession="80")
async def podiatrists(request: PSCRequest) -> HttpResponse:
    await request.psc.aload()
    return HttpResponse("for podiatrists" if request.psc else "for nobody")


class Doctors(PSCRequiredMixin, View):
    psc_required: ClassVar = {"profession": "10"}

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        return HttpResponse(f"for doctors: {name}")


class Podiatrists(PSCRequiredMixin, View):
    psc_required: ClassVar = {"profession": "80"}

    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("for podiatrists")


@method_decorator([sensitive_post_parameters(), psc_required(profession="80")], name="dispatch")
class DecoratedPodiatrists(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("for podiatrists")


class PodiatristsByMethod(View):
    @method_decorator(psc_required(profession="80"))
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("for podiatrists")


@method_decorator(psc_required(profession="80"), name="dispatch")
class SynchronousPodiatrists(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("for podiatrists")


class DoctorsOnly(PSCRequiredMixin):
    psc_required: ClassVar = {"profession": "10"}


class Inherited(DoctorsOnly, View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("for whom it says")


class Overridden(Inherited):
    psc_required: ClassVar = {"profession": "80"}


class InSetup(Inherited):
    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.psc_required = {"profession": request.GET.get("profession", "80")}  # type: ignore[misc]


def who(request: PSCRequest) -> JsonResponse:
    psc = request.psc
    return JsonResponse(
        {
            "is_professional": bool(psc),
            "rpps": psc.rpps,
            "acr": psc.acr,
            "means": psc.means,
            "must_choose": psc.must_choose,
            "profession": psc.practice.profession.label if psc.practice else None,
            "structure": psc.activity.structure_name if psc.activity else None,
            "identifiers": [each.kind.value for each in psc.identifiers],
        }
    )


def unread(request: PSCRequest) -> HttpResponse:
    """Has the object, and looks at nothing of it."""
    return HttpResponse(type(request.psc).__name__)


def in_a_template(request: HttpRequest) -> HttpResponse:
    template: Any = engines["django"].from_string(
        "{% load psc_connect %}{% psc_allows profession='10,40' as prescribes %}"
        "{% if prescribes %}prescribes{% else %}does not{% endif %}|{% psc_connect_activity %}"
    )
    return HttpResponse(template.render({}, request))


def printed(request: HttpRequest) -> HttpResponse:
    template: Any = engines["django"].from_string(
        "{{ request.psc.practice }}|{{ request.psc.activity }}|{{ request.psc.activity_choice }}|"
        "{{ request.psc.identifiers.0.kind }} {{ request.psc.identifiers.0.number }}"
    )
    return HttpResponse(template.render({}, request))


async def hasty(request: PSCRequest) -> HttpResponse:
    try:
        return HttpResponse(request.psc.rpps)
    except SynchronousOnlyOperation as exc:
        return HttpResponse(str(exc))


urlpatterns = [
    *common,
    path("doctors/", doctors),
    path("private/", in_private_practice),
    path("professionals/", professionals),
    path("podiatrists/", podiatrists),
    path("doctors/<str:name>/", Doctors.as_view()),
    path("podiatrists/class/", Podiatrists.as_view()),
    path("podiatrists/decorated/", DecoratedPodiatrists.as_view()),
    path("podiatrists/decorated-method/", PodiatristsByMethod.as_view()),
    path("podiatrists/synchronous/", SynchronousPodiatrists.as_view()),
    path("inherited/", Inherited.as_view()),
    path("inherited/overridden/", Overridden.as_view()),
    path("inherited/as-view/", Inherited.as_view(psc_required={"profession": "80"})),
    path("inherited/in-setup/", InSetup.as_view()),
    path("who/", who),
    path("unread/", unread),
    path("template/", in_a_template),
    path("printed/", printed),
    path("hasty/", hasty),
]
