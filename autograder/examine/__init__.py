"""One submission: sanitise the notebook, run it in a subject, examine it, write the report."""
