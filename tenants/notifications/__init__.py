"""Notifications: an inbox for each person, email, and signed webhooks for each organization.

What happened becomes rows in the database, `notify` says whose; the clock hands over what leaves the server, and tries again
where it could not. Nothing here can fail what it tells of.
"""
