"""A calibration as a picture: what every training gave, and the threshold between right and wrong."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from autograder.audit.calibration import Calibrated
from autograder.audit.separation import Values, rarity

_RIGHT, _WRONG, _LINE = "#1b7837", "#b35806", "#333333"
_ROW_INCHES, _FRAME_INCHES, _WIDTH_INCHES = 0.36, 1.45, 9.0


def svg(slug: str, found: Sequence[Calibrated]) -> bytes:
    """Draw every measurement of an assignment; the same calibration gives the same bytes."""
    image = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "autograder", "svg.fonttype": "none"}):
        draw(slug, found).savefig(image, format="svg", metadata={"Date": None, "Creator": None})
    lines = image.getvalue().decode().splitlines()
    return ("\n".join(line.rstrip() for line in lines) + "\n").encode()


def draw(slug: str, found: Sequence[Calibrated]) -> Figure:
    """Draw one panel for each measurement, one row in it for each design."""
    rows = [len(one.right) + len(one.wrong) for one in found]
    heights = [_ROW_INCHES * count + _FRAME_INCHES for count in rows]
    figure = Figure(figsize=(_WIDTH_INCHES, sum(heights)), layout="constrained")
    panels = figure.subplots(len(found), 1, squeeze=False, height_ratios=heights)[:, 0]
    for panel, one in zip(panels, found, strict=True):
        _draw(panel, one)
        panel.set_title(f"{slug}: {one.measurement.name}", loc="left", pad=22, fontsize="medium", fontweight="bold")
    return figure


def _draw(panel: Any, one: Calibrated) -> None:
    designs = [(*entry, _RIGHT, "o") for entry in one.right.items()] + [
        (*entry, _WRONG, "X") for entry in one.wrong.items()
    ]
    rates = {**one.separation.false_fail, **one.separation.false_pass}
    for row, (name, values, color, marker) in enumerate(designs):
        _draw_row(panel, row, values, color, marker)
        verb = "fails" if color is _RIGHT else "passes"
        text = f"{verb} {rarity(rates[name])}"
        panel.text(1.01, row, text, transform=panel.get_yaxis_transform(), va="center", fontsize="small", color=color)
    panel.set_yticks(range(len(designs)), [name.replace("_", " ") for name, *_ in designs], fontsize="small")
    panel.set_ylim(len(designs) - 0.4, -0.6)
    panel.set_xlabel(one.measurement.unit)
    if one.measurement.items is None:  # the scale on which such numbers are judged
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.xaxis.set_minor_formatter(NullFormatter())
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="x", color="0.92")
    panel.set_axisbelow(True)
    _draw_threshold(panel, one)


def _draw_row(panel: Any, row: int, values: Values, color: str, marker: str) -> None:
    numbers = [value for value in values if value is not None]
    heights = row + np.linspace(-0.22, 0.22, max(len(numbers), 2))[: len(numbers)]
    panel.scatter(numbers, heights, s=16, marker=marker, color=color, alpha=0.65, linewidths=0)
    if not numbers:
        panel.text(0.01, row, "no number in any training", transform=panel.get_yaxis_transform(), va="center",
                   fontsize="small", color=color)  # fmt: skip


def _draw_threshold(panel: Any, one: Calibrated) -> None:
    """Draw where trainings begin to pass; for an accuracy that lies below the threshold by the interval."""
    found = one.separation
    panel.axvline(found.passes_from, color=_LINE, linewidth=1.2)
    label = f"threshold {found.threshold:g}"
    if found.passes_from != found.threshold:
        panel.axvline(found.threshold, color=_LINE, linewidth=0.8, linestyle=":")
        label += f", passes from {found.passes_from:g}"
    panel.annotate(label, (found.passes_from, 1), xycoords=panel.get_xaxis_transform(), xytext=(4, 3),
                   textcoords="offset points", fontsize="small", color=_LINE, annotation_clip=False)  # fmt: skip
