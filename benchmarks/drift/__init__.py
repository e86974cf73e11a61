"""How often the drift monitor cries wolf, and how soon it notices a change."""
