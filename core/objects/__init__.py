"""Objects: an organization's contents, each once, under the digest of its bytes. Where they lie, reading and writing them."""
