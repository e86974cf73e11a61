"""POM: judging distributions, in both phases."""
