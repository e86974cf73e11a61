"""Latents of good images and training the prior on them; defect sources, the sample bank."""
