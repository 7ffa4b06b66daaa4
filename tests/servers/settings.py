"""The site of the tests as a server process runs it: a database of its own."""

import os

from tests.settings import *  # noqa: F403

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["PSC_TESTS_SITE_DATABASE"]}}
STATIC_ROOT = None
