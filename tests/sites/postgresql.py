"""The settings of most tests, with PostgreSQL."""

import os
from urllib.parse import urlsplit

from tests.settings import *  # noqa: F403

server = urlsplit(os.environ["PSC_TESTS_POSTGRES_DSN"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": server.hostname,
        "PORT": server.port,
        "USER": server.username,
        "PASSWORD": server.password or "",
        "NAME": server.path.removeprefix("/"),
        "TEST": {"NAME": f"psc_connect_{os.getpid()}"},
    }
}
