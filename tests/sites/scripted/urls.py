from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.static import serve
from pwa.views import offline, service_worker

from tests.sites.scripted import pages

urlpatterns = [
    path("pages/<str:name>/", login_not_required(pages.page)),
    path("worker.js", login_not_required(pages.worker)),
    path("serviceworker.js", login_not_required(service_worker)),
    path("offline/", login_not_required(offline)),
    path("node_modules/<path:path>", login_not_required(serve), {"document_root": settings.NODE_MODULES}),
    path("", include("shared_record.urls")),
]
