"""A lot of judged pictures: its figures, and the report that is handed on with it."""
