"""Noise schedule, U-Net, device, the trained normal prior: what DAGM and DDM share."""
