"""The URLs of a site that also uses mozilla-django-oidc for another login."""

from django.urls import include, path

from tests.urls import urlpatterns as ours

urlpatterns = [*ours, path("oidc/", include("mozilla_django_oidc.urls"))]
