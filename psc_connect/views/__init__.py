"""The views of a login: login, callback, choice of the activity, logout."""

from psc_connect.views.activity import ActivityView as ActivityView
from psc_connect.views.callback import CallbackView as CallbackView
from psc_connect.views.login import LoginView
from psc_connect.views.logout import LoggedOutView as LoggedOutView
from psc_connect.views.logout import LogoutView as LogoutView

# The public ones (docs/api.md). psc_connect.urls also imports those with "as" from here.
__all__ = ["LoginView"]
