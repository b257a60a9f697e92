"""Many submissions: find them, grade them side by side, keep what was found, tell nbgrader's gradebook.

``submissions`` finds and reads, ``engine`` drives a grader, ``journal`` keeps the reports on disk, ``session`` joins
the three, and ``gradebook`` writes the scores where nbgrader looks for them.
"""

import autograder.lean  # noqa: F401 - first of all: what is imported below is quicker then
