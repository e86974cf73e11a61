"""Watching a model in service: the log of its predictions, tests for drift, a page of trends."""
