"""From what an author writes to what a student gets.

template.py and solution.py read the author's files into records, agreement.py compares them with the rubric and the
tests, compose.py joins them into the instructor's notebook, release.py lets nbgrader strip it, leak.py looks for what
must stay hidden, and build.py does all of it for a course.
"""

import autograder.lean  # noqa: F401 - first of all: what is imported below is quicker then
