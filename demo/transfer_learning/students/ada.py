# %% [markdown] before="freeze"
# I write a class for everything that has a state. A network with a new head has one.

# %% before="freeze"
import keras
from keras import ops

NORMS = (keras.layers.BatchNormalization, keras.layers.LayerNormalization, keras.layers.GroupNormalization)

# %% task="freeze"
def freeze(base):
    for layer in base.layers:
        layer.trainable = False
    base.trainable = False
    assert base.trainable_weights == []
    return base

# %% before="add_head"
class Classifier(keras.Model):
    """A frozen network that answers a new question."""

    def __init__(self, base, classes, **options):
        super().__init__(**options)
        self.base = base
        self.classify = keras.layers.Dense(classes)

    def call(self, pictures, training=None):
        """Return probabilities ``(N, classes)``; the base never trains here, so it is never told to."""
        features = self.base(pictures)
        while len(features.shape) > 2:
            features = ops.mean(features, axis=1)  # first over the rows, then over the columns
        return ops.softmax(self.classify(features))

# %% task="add_head"
def add_head(base, classes):
    model = Classifier(base, classes, name="classifier")
    model(keras.Input(base.input_shape[1:]))  # now it has weights
    return model

# %% before="train_head"
def compiled(model, rate, optimizer=keras.optimizers.Adam):
    model.compile(
        optimizer=optimizer(learning_rate=rate),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model

# %% task="train_head"
def train_head(model, images, labels, epochs=5):
    small_batches = {"batch_size": max(1, min(8, len(images) // 3)), "shuffle": True}
    return compiled(model, 0.05, keras.optimizers.Nadam).fit(images, labels, epochs=epochs, verbose=0, **small_batches)

# %% task="unfreeze_top"
def unfreeze_top(base, layers):
    base.trainable = True
    left = layers
    for layer in base.layers[::-1]:
        can_learn = bool(layer.weights) and not isinstance(layer, NORMS)
        layer.trainable = can_learn and left > 0
        if can_learn:
            left -= 1
    return base

# %% task="fine_tune"
def fine_tune(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    unfreeze_top(base, layers)
    return compiled(model, learning_rate).fit(images, labels, batch_size=6, epochs=epochs, verbose=0)

# %% after="fine_tune"
mine = add_head(freeze(load_base()), 3)
for name, step in {
    "head": lambda: train_head(mine, pictures, labels),
    "top": lambda: fine_tune(mine, mine.base, pictures, labels, epochs=10),
}.items():
    print(f"{name}: loss {step().history['loss'][-1]:.2f}, accuracy {accuracy(mine, others, other_labels):.1%}")
