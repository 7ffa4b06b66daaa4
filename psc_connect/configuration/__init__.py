"""Configuration as code: JSON declarations of providers, the plan of what they change, and how a plan is applied."""
