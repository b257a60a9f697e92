"""A run as it happens: a live line in a terminal, plain lines anywhere else. The one view that keeps state."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from autograder.grading.engine import Event, Finished, Planned, Started, Stopping
from autograder.views.text import finished_line


class _Rate(ProgressColumn):
    """Submissions per minute, over the last finished ones."""

    def render(self, task: Task) -> Text:
        return Text(f"{60 * task.speed:.0f}/min" if task.speed else "-/min", style="cyan")


class Progress:
    """Listens to a run and shows it; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._done = 0
        self._review = 0
        self._bar = Bar(
            TextColumn("grading"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[review]} to review", style="magenta"),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, review=0)
        self._total = 0

    def __enter__(self) -> Progress:
        """Start drawing."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear the live line."""
        self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Planned():
                self._plan(event)
            case Finished(graded):
                self._done += 1
                self._review += graded.report.needs_review
                self._say(f"[{self._done}/{self._total}] {finished_line(graded.report)}")
                self._bar.update(self._task, completed=self._done, review=self._review)
            case Stopping():
                self._say(
                    f"stopping after what is being graded ({event.running}); the same signal again gives up at once"
                )
            case Started():
                pass

    def _plan(self, event: Planned) -> None:
        self._total = event.pending
        self._bar.update(self._task, total=event.pending)
        if event.current:
            self._say(f"{event.current} reports are current and stay as they are (--fresh grades them again)")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
