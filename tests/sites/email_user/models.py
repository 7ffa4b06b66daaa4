from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class EmailUser(AbstractUser):
    """A user with an e-mail address instead of a username."""

    username = None
    email = models.EmailField(unique=True)
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ()
