"""Storage: where the bytes of objects lie, a local folder or S3. What the bytes are is not known here."""
