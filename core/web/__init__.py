"""Pages of the core and what all pages share: the gate, the shell around them, errors, forgery protection, limits."""
