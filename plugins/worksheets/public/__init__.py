"""Public links: forms and views that anybody can open who knows their address. Closed unless somebody opens them."""
