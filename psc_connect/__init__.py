"""A Django app that signs people in with Pro Santé Connect. The modules of one login, in the order in which they run:

button                              templatetags/psc_connect.py
choice of the provider              views/login.py → login/provider_selection.py
authorization request               login/authorization_request.py; its state in a cookie: login/pending.py
callback, once for each state       views/callback.py, oidc/authorization.py
code exchanged for tokens           backends.py → oidc/client.py
ID token, verified                  oidc/id_token.py, oidc/jws.py ← providers/keys.py
userinfo                            oidc/userinfo.py, professional/userinfo.py
access rules, choice of activity    access/rules.py, access/activity_choice.py, views/activity.py
account and user                    accounts/linking.py → accounts/identifiers.py, mapping/attributes.py,
                                    access/groups.py
session                             login/session.py
logout, this site's first           views/logout.py → oidc/logout.py

A step that fails raises an exception with a code. login/failures.py turns it into one log line and one page, with the
texts of login/refusal_texts.py for that code.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
