"""The views of a login: login, callback, choice of the activity, logout."""

from psc_connect.views.activity import ActivityView
from psc_connect.views.callback import CallbackView
from psc_connect.views.login import LoginView
from psc_connect.views.logout import LoggedOutView, LogoutView

__all__ = ["ActivityView", "CallbackView", "LoggedOutView", "LoginView", "LogoutView"]
