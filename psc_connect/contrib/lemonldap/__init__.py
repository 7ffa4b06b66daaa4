"""Import of OpenID Connect providers from a LemonLDAP::NG configuration."""
