"""What OpenID Connect says a relying party does: no Django, no settings; plain values in, frozen dataclasses out.

Read downwards: `metadata` and `jwks` are what is known of a provider, `authorization` is the first redirect and its
answer, `client` is every outgoing request, `id_token` (over `jws`) and `userinfo` judge what came back, `logout` is
the last redirect. `errors` is all that can go wrong, `codes` says it in sentences.
"""
