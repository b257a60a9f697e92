"""The oracles' libraries, imported once."""

from __future__ import annotations

import os
import warnings
from typing import Any

import pytest


@pytest.fixture(scope="session")
def tf() -> Any:
    """TensorFlow, whose import takes seconds and says much."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf
    return tf


@pytest.fixture(scope="session")
def keras(tf: Any) -> Any:
    """Keras on TensorFlow."""
    import keras

    return keras
