"""The frozen encoder: from images to raw features, its weights and their licence."""
