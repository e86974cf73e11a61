"""What answers a picture, and is packed into every registered model."""
