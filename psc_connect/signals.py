"""What a site can listen to. Receivers get personal data: they must not log it.

Each is sent with ``request``, ``user``, ``account`` and ``claims`` (a read-only mapping of the userinfo), after the
transaction that it tells of; ``login_refused`` with ``request``, ``provider`` (its slug), ``code`` and ``reference``.
``professional_changed``, sent where the professional data are not those of the login before, has besides ``before``
and ``after`` (``professional.professional.Professional``) and ``changes`` (``professional.snapshot.Change``).
"""

from __future__ import annotations

from django.dispatch import Signal

account_created = Signal()
account_linked = Signal()
signed_in = Signal()
professional_changed = Signal()
login_refused = Signal()
