"""The OpenID Connect protocol of a relying party. Imports no Django and no settings.

Functions take plain values and return frozen dataclasses. In the order of a login:

* `metadata`, `jwks`: parse the provider's metadata and its key set;
* `authorization`: build the authorization request and parse the response;
* `client`: send requests to the provider, over `http` and `transport`;
* `id_token` (with `jws`), `userinfo`: validate the answers;
* `logout`: build the logout URL.

`errors` has the exceptions, `error_codes` a sentence for each of their codes.
"""
