"""Processes: what `appkeep up` starts and keeps alive. Supervisor, web server, workers, scheduler, the embedded Valkey."""
