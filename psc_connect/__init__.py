"""Sign in to a Django site with Pro Santé Connect. One login, read downwards:

the button                          templatetags/psc_connect.py
which of several providers          views/login.py → preselection.py
the authorization request           authorization_request.py, its pending login in a cookie: pending.py
the answer, taken once              views/callback.py, oidc/authorization.py
the code for tokens                 backends.py → oidc/client.py
the ID token ← the row's keys       oidc/id_token.py, oidc/jws.py ← keys.py
the userinfo                        oidc/userinfo.py
who it is, what they practise       professional/userinfo.py
may they, in what capacity?         rules.py, capacities.py, views/activity.py
the account and its user            accounts.py → identifiers.py, exported_attributes.py, groups.py
the session                         session.py
the sign-out, ours first            views/logout.py → oidc/logout.py

What fails on the way is an exception with a code; refusals.py makes one log line and one page of it, in the words of
exceptions.py.
"""

__version__ = "0.1.0"
