"""A calibration in a terminal: the trainings as they happen, and what follows from them as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from autograder.audit.calibration import Calibrated
from autograder.audit.separation import Values, rarity
from autograder.audit.training import Trial


class Trainings:
    """Watches the trainings and shows them: a live line in a terminal, plain lines anywhere else."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Trainings:
        """Start drawing."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear the live line."""
        self._bar.stop()

    def __call__(self, trial: Trial, value: float | None, done: int, total: int) -> None:
        """Show one training."""
        gave = "no number" if value is None else f"{value:.4g}"
        line = f"[{done}/{total}] {trial.measurement}: {trial.design.name}, seed {trial.seed}: {gave}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._bar.update(self._task, completed=done, total=total)


def tables(found: Sequence[Calibrated]) -> RenderableType:
    """Draw a table for each measurement: what its designs gave, and how often each is mistaken."""
    return Group(*(part for one in found for part in (_table(one), Text())))


def _table(one: Calibrated) -> Table:
    separation = one.separation
    title = f"{one.measurement.name}: threshold {separation.threshold:g}"
    if separation.passes_from != separation.threshold:
        title += f", passes from {separation.passes_from:g}"
    table = Table(title=title, title_justify="left", header_style="bold", pad_edge=False, box=None)
    table.add_column("design", overflow="fold")
    for column in ("trained", "lowest", "median", "highest", "mistaken"):
        table.add_column(column, justify="right")
    _add(table, one.right, separation.false_fail, "fails", "green")
    _add(table, one.wrong, separation.false_pass, "passes", "yellow")
    return table


def _add(table: Table, values: Mapping[str, Values], rates: Mapping[str, float], verb: str, style: str) -> None:
    for name, all_values in values.items():
        numbers = [value for value in all_values if value is not None]
        shown = [f"{value:.3g}" for value in (min(numbers), median(numbers), max(numbers))] if numbers else ["-"] * 3
        table.add_row(Text(name, style=style), str(len(all_values)), *shown, f"{verb} {rarity(rates[name])}")
