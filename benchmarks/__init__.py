"""Times that depend on the machine, printed as a table: ``nox -s benchmarks``."""
