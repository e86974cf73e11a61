"""A line renamed, copied or removed, with everything that bears its name."""
