"""The report of a run: one page of HTML that prints to A4."""
