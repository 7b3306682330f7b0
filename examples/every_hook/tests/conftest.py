"""The fixtures of Appkeep: a server on each database, an organization, an app."""

pytest_plugins = ["core.testing.fixtures"]
