"""What it costs to start a command."""
