"""Deep hashing methods: a loss each, one training loop for all."""
