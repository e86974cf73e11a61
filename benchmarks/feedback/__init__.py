"""What a line gains when people tell it of its false alarms and of real defects."""
