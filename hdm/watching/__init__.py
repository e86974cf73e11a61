"""A folder into which pictures drop: which are complete, and what was found of them."""
