"""Training the discriminators: batches, objective."""
