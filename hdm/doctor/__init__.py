"""Whether everything around the lines is as it must be, each fault with its cure."""
