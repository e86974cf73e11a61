"""Charts, heat maps, the one HTML environment and style of all pages."""
