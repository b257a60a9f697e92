"""The walls around a student's code.

    tier = best_tier()                             what this machine can do, found by trying
    enter_box(tier, interpreter_box(("scipy",)))   in a fresh fork server, first of all
    cage = spawn(tier, Walls(...), (7,), main)     in a process forked from it, once per subject
    cage.fileno(); cage.usage(); cage.interrupt(); cage.kill()

The box is what a subject can see of the machine; the cage is what it can do, and how it is ended.
"""

from autograder.subject.sandbox.box import enter_box
from autograder.subject.sandbox.cage import Cage, spawn
from autograder.subject.sandbox.interpreter import interpreter_box
from autograder.subject.sandbox.tiers import best_tier, missing
from autograder.subject.sandbox.walls import Box, Tier, Usage, Walls

__all__ = ["Box", "Cage", "Tier", "Usage", "Walls", "best_tier", "enter_box", "interpreter_box", "missing", "spawn"]
