from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("home")


def page(request: HttpRequest, name: str) -> HttpResponse:
    """A page that LoginRequiredMiddleware guards."""
    return HttpResponse(f"page {name} of {request.user.get_username()}")


urlpatterns = [
    path("", home),
    path("page/<str:name>/", page),
    path("psc/", include("psc_connect.urls")),
    path("admin/", admin.site.urls),
]
