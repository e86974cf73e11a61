"""Three people with a fresh clone, timed, each step's screen kept."""
