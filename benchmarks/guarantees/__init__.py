"""What the guarantees promise and what simulated lines show."""
