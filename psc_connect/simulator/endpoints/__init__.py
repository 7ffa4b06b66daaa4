"""The endpoints of the provider, and the page that creates a person."""
