"""A day in production in ten minutes: eight people on PostgreSQL, S3 and two workers, while parts are killed, hang and go away."""
