"""Settings of the site in a server process, with a separate database."""

import os

from tests.settings import *  # noqa: F403

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["PSC_TESTS_SITE_DATABASE"]}}
STATIC_ROOT = None
