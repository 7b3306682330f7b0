"""Regular expressions that cannot run away: matched by states side by side, every step paid for."""
