"""Apps: their documents and parts, who may do what in them, writers that stand in order, apps that are being made."""
