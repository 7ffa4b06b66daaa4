"""Sites that differ from the one of most tests: each has settings of its own."""
