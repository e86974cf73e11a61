"""Does what is said of false alarms, and of better and worse models, hold? Simulated lines."""
