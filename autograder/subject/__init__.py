"""The sandboxed side: where the code of a student runs, and what crosses to and from it."""
