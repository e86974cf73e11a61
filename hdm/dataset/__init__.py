"""Decoding images, manifest, test sets, input format, tensors, tiles."""
