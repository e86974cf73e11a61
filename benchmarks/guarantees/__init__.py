"""Does what is said of false alarms hold? Simulated lines, many of each kind."""
