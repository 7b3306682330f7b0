"""Extension: what plugins bring, its hooks, and the registry of what they brought. Nothing here does any of it."""
