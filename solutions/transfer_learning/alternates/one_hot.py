"""Everything functional, with one-hot labels, dropout before the head, and RMSprop."""

from keras import Input, Model, losses, optimizers
from keras.layers import BatchNormalization, Dense, Dropout, GlobalAveragePooling2D
from keras.utils import to_categorical


def freeze(base):
    setattr(base, "trainable", False)  # noqa: B010 - as some write it
    assert not base.trainable_weights
    return base


def add_head(base, classes):
    picture = Input(shape=base.input_shape[1:], name="picture")
    x = base(picture)  # frozen, and so in inference mode
    if len(x.shape) != 2:
        x = GlobalAveragePooling2D(name="average")(x)
    x = Dropout(0.1)(x)
    return Model(inputs=picture, outputs=Dense(units=classes, activation="softmax", name="answer")(x))


def train_head(model, images, labels, epochs=5):
    model.compile(optimizers.RMSprop(0.01), losses.CategoricalCrossentropy(), metrics=["acc"])
    targets = to_categorical(labels, model.output_shape[-1])
    return model.fit(images, targets, batch_size=8, epochs=epochs, verbose=0)


def unfreeze_top(base, layers):
    base.trainable = True
    counted = [layer for layer in base.layers if layer.weights]  # batch normalization, too
    top = counted[-layers:] if layers else []
    for layer in base.layers:
        layer.trainable = layer in top and not isinstance(layer, BatchNormalization)
    return base


def fine_tune(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    base = unfreeze_top(base, layers)
    model.compile(optimizers.Adam(learning_rate), losses.CategoricalCrossentropy(), metrics=["acc"])
    targets = to_categorical(labels, model.output_shape[-1])
    return model.fit(images, targets, batch_size=12, epochs=epochs, shuffle=True, verbose=0)
