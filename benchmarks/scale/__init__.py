"""What a stage costs as a line grows: time and memory of each process."""
