"""The evaluation report: galleries, tables, wording."""
