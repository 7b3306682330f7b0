"""Base: what every room stands on. Errors, settings, database, identifiers, time, references, budgets: no rule of apps or backups."""
