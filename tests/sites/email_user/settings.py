from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.sites.email_user"]
AUTH_USER_MODEL = "email_user.EmailUser"
# Not the database of the test run that starts this one.
DATABASES = {"default": {**DATABASES["default"], "TEST": {"NAME": "file:email_user?mode=memory&cache=shared"}}}
