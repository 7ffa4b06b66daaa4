"""A site that put our URLs where the language decides about them."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

urlpatterns = i18n_patterns(path("psc/", include("psc_connect.urls")))
