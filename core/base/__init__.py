"""Base: what every room stands on. Errors, settings, the database session, identifiers, time, references, budgets; no rule of apps or backups."""
