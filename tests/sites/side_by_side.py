"""The addresses of a site that has another login already, by mozilla-django-oidc, beside ours."""

from django.urls import include, path

from tests.urls import urlpatterns as ours

urlpatterns = [*ours, path("oidc/", include("mozilla_django_oidc.urls"))]
