from __future__ import annotations

from django.urls import path

from psc_connect import views

app_name = "psc_connect"

urlpatterns = [
    path("login/", views.LoginView.as_view(), name="login"),
    path("<slug:provider>/login/", views.LoginView.as_view(), name="login"),
    path("<slug:provider>/callback/", views.CallbackView.as_view(), name="callback"),
    path("<slug:provider>/activity/", views.ActivityView.as_view(), name="activity"),
    path("<slug:provider>/logout/", views.LogoutView.as_view(), name="logout"),
    path("<slug:provider>/logged-out/", views.LoggedOutView.as_view(), name="logged_out"),
]
