"""The signals of this package. Receivers get personal data, which they must not log.

Each signal is sent after the transaction, with ``request``, ``user``, ``account`` and ``claims`` (the userinfo, a
read-only mapping). ``login_refused`` has ``request``, ``provider`` (its slug), ``code`` and ``reference`` instead.
``professional_changed`` is sent if the professional data have changed since the previous login. It also has ``before``
and ``after`` (``professional.professional.Professional``) and ``changes`` (``professional.snapshot.Change``).
"""

from __future__ import annotations

from django.dispatch import Signal

__all__ = ["account_created", "account_linked", "login_refused", "professional_changed", "signed_in"]

account_created = Signal()
account_linked = Signal()
signed_in = Signal()
professional_changed = Signal()
login_refused = Signal()
