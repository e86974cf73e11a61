"""Training the discriminators: benign change, batches, objective."""
