"""Importing this module spares the process a second: a grammar that jsonschema would compile, and nothing here uses.

jsonschema, which every notebook library imports, looks for packages that check rare formats of strings. One of them,
``rfc3987_syntax``, compiles a grammar of international resource identifiers when it is imported. It is optional:
jsonschema passes over it where it is absent, and absent is what it is from here on. No schema of a notebook has such a
string.
"""

from __future__ import annotations

import sys

if "rfc3987_syntax" not in sys.modules:
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # what the import system takes for "not there"
