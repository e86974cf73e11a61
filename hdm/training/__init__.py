"""Training loop with average and resume, optimiser, batches in parts, benign change."""
