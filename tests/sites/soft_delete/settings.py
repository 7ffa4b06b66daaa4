from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.sites.soft_delete"]
AUTH_USER_MODEL = "soft_delete.Agent"
# Not the database of the test run that starts this one.
DATABASES = {"default": {**DATABASES["default"], "TEST": {"NAME": "file:soft_delete?mode=memory&cache=shared"}}}
