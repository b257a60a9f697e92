"""What a coordinator and an examiner server tell each other; both are trusted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from autograder.subject.codec import Bounds

PACKET = 65536
"""Bytes of the largest packet on a control socket."""

MESSAGES = Bounds(bytes=256 << 20, text=64 << 20)
"""Bounds of a message on the stream of one submission: notebooks are large."""


@dataclass(frozen=True)
class ExaminerConfig:
    """What one examiner server examines: ``folder`` is that of the fork server of subjects."""

    root: str
    slug: str
    sandbox: str
    folder: str

    def to_json(self) -> str:
        """Render for the command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ExaminerConfig:
        """Read what ``to_json`` wrote."""
        return cls(**json.loads(text))
