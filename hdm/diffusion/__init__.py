"""Noise schedule, latent space, the latent prior, U-Net, device: what the modules share."""
