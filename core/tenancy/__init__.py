"""Tenancy: whose rows these are. The wall between organizations, the table of apps, secrets, time zones, the tables' versions."""
