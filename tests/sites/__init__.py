"""Sites with other settings than those of most tests."""
