from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class EmailUser(AbstractUser):
    """People are known by their e-mail: there is no username."""

    username = None
    email = models.EmailField(unique=True)
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ()
