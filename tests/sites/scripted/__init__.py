"""The demonstration with service workers, Turbo and htmx, as sites use them."""
