"""How ``base.npz`` was made: a network that learned to tell five kinds of shapes apart, on one core in half a minute.

    python make_base.py

It needs no data but what the package draws by itself, and is seeded: on the same machine it writes the same weights.
The file holds plain arrays: the weights of the base in Keras's order, and the head that it was trained with.
"""

from pathlib import Path

import keras
import numpy as np

from autograder.checks.logistic import network
from autograder.checks.transfer import BASE_KINDS, SHAPES_BASE
from autograder.data import draw_shapes

SIDE = 64
PICTURES = 4000
EPOCHS = 4
BATCH = 32
SEED = 2024


def main() -> None:
    """Draw pictures, train, and write ``base.npz`` beside this file."""
    keras.utils.set_random_seed(SEED)
    pictures, labels = draw_shapes(np.random.default_rng(SEED), PICTURES, BASE_KINDS)
    base = keras.models.model_from_json(network((SIDE, SIDE, 3), *SHAPES_BASE))
    head = keras.layers.Dense(len(BASE_KINDS), activation="softmax")
    averaged = [base, keras.layers.GlobalAveragePooling2D(), keras.layers.Dropout(0.3), head]
    whole = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *averaged])
    rate = keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * PICTURES // BATCH)
    whole.compile(keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    whole.fit(pictures, labels, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    weights = {f"weight_{number:02d}": values for number, values in enumerate(base.get_weights())}
    kernel, bias = head.get_weights()
    target = Path(__file__).with_name("base.npz")
    np.savez_compressed(target, **weights, head_kernel=kernel, head_bias=bias, kinds=np.array(BASE_KINDS))


if __name__ == "__main__":
    main()
