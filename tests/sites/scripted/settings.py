import os

from shared_record.settings import *  # noqa: F403
from shared_record.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "pwa"]
# Turbo and htmx write style elements into the page.
MIDDLEWARE = [name for name in MIDDLEWARE if "content_security_policy" not in name]
X_FRAME_OPTIONS = "SAMEORIGIN"
ROOT_URLCONF = "tests.sites.scripted.urls"
NODE_MODULES = os.environ.get("PSC_TESTS_NODE_MODULES", "")
