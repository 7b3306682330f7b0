"""Every hook and every method of a component, once each."""
