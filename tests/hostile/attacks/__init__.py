"""Attacks on the grader: each is a real submission with its verdict beside it, and honest work after it.

``attack`` says what one is; ``reading`` and ``prying``, ``forging``, ``lying`` and ``tampering``, ``denial``,
``instructor`` and ``others`` hold them, and ``every`` joins them. ``stage`` plants what they aim at, ``lane`` grades them as the user and behind the walls that
are asked for, ``leftovers`` and ``show`` look at what they leave and show, ``judge`` compares. ``python -m
tests.hostile.attacks`` runs everything and prints a table.
"""
