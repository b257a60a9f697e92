"""Models in the sandbox: built, described and trained there, judged outside."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.authoring.build import build
from autograder.course import Course
from autograder.examine.grader import LocalGrader
from autograder.model import Job
from tests.integration.conftest import messages, notebook, scores, timeless

FILES = {
    "assignments/nets/rubric.toml": """\
title = "Nets"
order = 1

[limits]
cell_s = 30
check_s = 30
task_s = 60
total_s = 120
memory_mib = 2000

[[tasks]]
name = "net"
points = 60

[[tasks]]
name = "train"
points = 40
""",
    "assignments/nets/notebook.py": '''\
# %% setup=true
import keras
from autograder import check

# %% task="net"
def net(classes):
    """Return a model."""
    raise NotImplementedError

# %% task="train"
def train(model, x, y):
    """Return a History."""
    raise NotImplementedError
''',
    "assignments/nets/test_public.py": '"""What students see."""\n',
    "solutions/salt.txt": "0d4f7a-salt-of-the-nets\n",
    "solutions/nets/solution.py": """\
# canary: nets-solution-2b71
import keras

def net(classes):
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, activation="relu"),
                             keras.layers.Dense(classes, activation="softmax")])

def train(model, x, y):
    model.compile("adam", "categorical_crossentropy")
    return model.fit(x, y, epochs=2, verbose=0)
""",
    "solutions/nets/misconceptions.py": "MISCONCEPTIONS = ()\n",
    "solutions/nets/test_hidden.py": '''\
"""What students do not see."""
# canary: nets-hidden-93ce
import numpy as np
from autograder.checks import task
from autograder.checks.architecture import assert_moved, assert_stages
from autograder.checks.fitting import fit_and_probe
from autograder.checks.models import build, claimed, outline
from autograder.checks.stages import dense
from autograder.errors import CheckFailure

@task("net")
def test_stages(student):
    """has a hidden layer"""
    assert_stages(outline(student, "net", 4), [dense(5, "relu"), dense(4, "softmax")])

@task("net")
def test_learns(student, rng):
    """learns"""
    x = rng.normal(size=(64, 6))
    data = (x, np.eye(2)[(x[:, 0] > 0).astype(int)])
    adam = {"class_name": "Adam", "config": {"learning_rate": 0.05}}
    compiled = {"optimizer": adam, "loss": "categorical_crossentropy"}
    curve = fit_and_probe(build(student, "net", 2), data, data, loss="categorical_crossentropy", seed=1,
                          compiled=compiled, epochs=5, batch_size=16)
    if not curve.losses[-1] < 0.7 * curve.start:
        raise CheckFailure(f"From {curve.start!r} to {curve.losses[-1]!r}: no fall.")

@task("train")
def test_train(student, rng):
    """trains"""
    model = build(student, "net", 2)
    before = model.weights()
    history = student.handle.train(model.handle, rng.normal(size=(40, 6)), np.eye(2)[np.arange(40) % 2])
    assert_moved(model, before)
    if len(claimed(student, history, "train").get("loss", ())) != 2:
        raise CheckFailure("Two epochs are asked for.")
''',
}

LAZY = """
class Liar(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.head = keras.layers.Dense(classes, activation="softmax", kernel_initializer="zeros")

    def call(self, x):
        return self.head(x) * 0 + 0.5

    def fit(self, *args, callbacks=(), epochs=1, **kwargs):
        for epoch in range(epochs):
            for callback in callbacks:
                callback.on_epoch_end(epoch, {"loss": 0.01})
        history = keras.callbacks.History()
        history.history = {"loss": [1 / (1 + n) for n in range(epochs)]}
        return history

def net(classes):
    model = Liar(classes)
    model(keras.ops.zeros((1, 6)))
    return model
"""


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A grader over a small assignment of models, and its release."""
    root = tmp_path_factory.mktemp("nets")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
    build(Course(root))
    assignment = Course(root).assignment("nets")
    with LocalGrader(assignment) as grader:
        yield grader, assignment


def test_models_are_graded_in_the_sandbox(nets: Any) -> None:
    """The right answer gets its points twice, with the same report."""
    grader, assignment = nets
    solution = FILES["solutions/nets/solution.py"].split("\n\n")
    tasks = {"net": solution[1], "train": solution[2]}
    job = Job("nets", "ada", notebook(assignment.release_notebook, "", "", tasks))
    first, second = grader.grade(job), grader.grade(job)
    assert scores(first) == {"net": 60.0, "train": 40.0}, messages(first)
    assert timeless(first.report) == timeless(second.report)


def test_a_history_that_lies_gets_nothing(nets: Any) -> None:
    """Losses that a model invents are not those of its predictions, and its weights do not move."""
    grader, assignment = nets
    train = "def train(model, x, y):\n    return model.fit(x, y, epochs=2)"
    graded = grader.grade(
        Job("nets", "eve", notebook(assignment.release_notebook, "", "", {"net": LAZY, "train": train}))
    )
    assert scores(graded) == {"net": 0.0, "train": 0.0}
    assert "no fall" in messages(graded)
    assert "should have been trained did not change" in messages(graded)
