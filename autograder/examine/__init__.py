"""One submission: sanitise the notebook, run it in a subject, examine it, write the report."""

import autograder.lean  # noqa: F401 - first of all: what is imported below is quicker then
