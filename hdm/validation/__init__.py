"""Great-expectations suite, verdict, Data Docs."""
