"""What the provider answers, one file an endpoint, in the order in which a login meets them."""
