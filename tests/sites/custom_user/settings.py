from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.sites.custom_user"]
AUTH_USER_MODEL = "custom_user.Agent"
# Not the database of the test run that starts this one.
DATABASES = {"default": {**DATABASES["default"], "TEST": {"NAME": "file:custom_user?mode=memory&cache=shared"}}}
