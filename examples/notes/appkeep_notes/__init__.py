"""Notes for apps of Appkeep."""
