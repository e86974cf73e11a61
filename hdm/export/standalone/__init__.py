"""Programs that go into an exported folder as they are, and import nothing of hdm."""
