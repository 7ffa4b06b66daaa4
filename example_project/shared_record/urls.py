from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from shared_record import views

urlpatterns = [
    path("", views.home, name="home"),
    path("me/", views.me, name="me"),
    path("prescriptions/", views.prescriptions, name="prescriptions"),
    path("psc/", include("psc_connect.urls")),
    path("admin/", admin.site.urls),
    # Browsers request it on the pages of the admin, which declare no icon.
    path("favicon.ico", login_not_required(RedirectView.as_view(url=static("shared_record/icon.svg")))),
    path("language/", login_not_required(set_language), name="set_language"),
]
