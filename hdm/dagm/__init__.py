"""Training the prior, the perturbed reverse process, other defect sources, the sample bank."""
