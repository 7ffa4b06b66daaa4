"""A Django app that signs people in with Pro Santé Connect. The modules of one login, in the order in which they run:

button                              templatetags/psc_connect.py
choice of the provider              views/login.py → login/provider_selection.py
authorization request               login/authorization_request.py; its state in a cookie: login/pending.py
callback                            views/callback.py → backends.py
response, code, ID token, userinfo  login_steps.py → oidc/ ← providers/keys.py
identity of the person              accounts/verified_identity.py → professional/userinfo.py
account, access rules, user         accounts/decision.py → accounts/identifiers.py, access/rules.py
everything saved                    accounts/linking.py → mapping/attributes.py, access/groups.py
session                             login/session.py
choice of an activity               views/activity.py
logout, this site's first           views/logout.py → login/logout.py, oidc/logout.py

A step that fails raises an exception with a code. login/failures.py turns it into one log line and one page, with the
texts of login/refusal_texts.py for that code.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
