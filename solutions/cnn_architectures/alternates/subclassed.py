"""The architectures as classes: every block a layer of its own, every network a model with a ``call``."""

# ruff: noqa: D101, D102 - written as students write
import keras
from keras import layers, ops


class Scale:
    def __init__(self, width):
        self.width = width

    def __call__(self, count):
        return max(1, round(self.width * count))


def built(model, input_shape):
    model(keras.Input(input_shape))
    return model


class LeNet(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.first = layers.Conv2D(6, 5, padding="same", activation="relu")
        self.second = layers.Conv2D(16, 5, activation="relu")
        self.pool = layers.AveragePooling2D(2)
        self.flatten = layers.Flatten()
        self.hidden = [layers.Dense(units, activation="relu") for units in (120, 84)]
        self.classifier = layers.Dense(classes, activation="softmax")

    def call(self, x):
        x = self.pool(self.first(x))
        x = self.flatten(self.pool(self.second(x)))
        for layer in self.hidden:
            x = layer(x)
        return self.classifier(x)


def lenet5(input_shape=(28, 28, 1), classes=10):
    return built(LeNet(classes), input_shape)


class Classifier(layers.Layer):
    def __init__(self, hidden, classes):
        super().__init__()
        self.flatten = layers.Flatten()
        self.hidden = [layers.Dense(hidden, activation="relu") for _ in range(2)]
        self.dropout = layers.Dropout(0.5)
        self.classifier = layers.Dense(classes, activation="softmax")

    def call(self, x, training=None):
        x = self.flatten(x)
        for layer in self.hidden:
            x = self.dropout(layer(x), training=training)
        return self.classifier(x)


class AlexNet(keras.Model):
    def __init__(self, classes, scale):
        super().__init__()
        self.pool = layers.MaxPooling2D(3, 2)
        self.first = layers.Conv2D(scale(96), 11, 4, activation="relu")
        self.second = layers.Conv2D(scale(256), 5, padding="same", activation="relu")
        counts = (scale(384), scale(384), scale(256))
        self.others = [layers.Conv2D(count, 3, padding="same", activation="relu") for count in counts]
        self.classifier = Classifier(scale(4096), classes)

    def call(self, x, training=None):
        x = self.pool(self.second(self.pool(self.first(x))))
        for layer in self.others:
            x = layer(x)
        return self.classifier(self.pool(x), training=training)


def alexnet(input_shape=(227, 227, 3), classes=1000, width=1.0):
    return built(AlexNet(classes, Scale(width)), input_shape)


class VGGBlock(layers.Layer):
    def __init__(self, convolutions, filters):
        super().__init__()
        self.convolutions = [layers.Conv2D(filters, 3, padding="same") for _ in range(convolutions)]
        self.pool = layers.MaxPooling2D()

    def call(self, x):
        for layer in self.convolutions:
            x = ops.relu(layer(x))
        return self.pool(x)


class VGG16(keras.Model):
    def __init__(self, classes, scale):
        super().__init__()
        groups = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
        self.blocks = [VGGBlock(count, scale(filters)) for count, filters in groups]
        self.classifier = Classifier(scale(4096), classes)

    def call(self, x, training=None):
        for block in self.blocks:
            x = block(x)
        return self.classifier(x, training=training)


def vgg_block(x, convolutions, filters):
    return VGGBlock(convolutions, filters)(x)


def vgg16(input_shape=(224, 224, 3), classes=1000, width=1.0):
    return built(VGG16(classes, Scale(width)), input_shape)


class NiNBlock(layers.Layer):
    def __init__(self, filters, kernel_size, strides=1, padding="valid"):
        super().__init__()
        self.first = layers.Conv2D(filters, kernel_size, strides=strides, padding=padding, activation="relu")
        self.second = layers.Conv2D(filters, 1, activation="relu")
        self.third = layers.Conv2D(filters, 1, activation="relu")

    def call(self, x):
        return self.third(self.second(self.first(x)))


class NiN(keras.Model):
    def __init__(self, classes, scale):
        super().__init__()
        self.blocks = [
            NiNBlock(scale(96), 11, 4),
            NiNBlock(scale(256), 5, padding="same"),
            NiNBlock(scale(384), 3, padding="same"),
            NiNBlock(classes, 3, padding="same"),
        ]
        self.pool = layers.MaxPooling2D(3, 2)

    def call(self, x):
        for block in self.blocks[:-1]:
            x = self.pool(block(x))
        return ops.softmax(ops.mean(self.blocks[-1](x), axis=(1, 2)))


def nin_block(x, filters, kernel_size, strides=1, padding="valid"):
    return NiNBlock(filters, kernel_size, strides, padding)(x)


def nin(input_shape=(227, 227, 3), classes=10, width=1.0):
    return built(NiN(classes, Scale(width)), input_shape)


class Inception(layers.Layer):
    def __init__(self, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
        super().__init__()
        self.one = layers.Conv2D(f1, 1, activation="relu")
        self.three_reduce = layers.Conv2D(f3_reduce, 1, activation="relu")
        self.three = layers.Conv2D(f3, 3, padding="same", activation="relu")
        self.five_reduce = layers.Conv2D(f5_reduce, 1, activation="relu")
        self.five = layers.Conv2D(f5, 5, padding="same", activation="relu")
        self.pool = layers.MaxPooling2D(3, strides=1, padding="same")
        self.pool_proj = layers.Conv2D(pool_proj, 1, activation="relu")

    def call(self, x):
        three = self.three(self.three_reduce(x))
        five = self.five(self.five_reduce(x))
        return ops.concatenate([self.one(x), three, five, self.pool_proj(self.pool(x))], axis=-1)


class GoogLeNet(keras.Model):
    def __init__(self, classes, scale):
        super().__init__()
        self.pool = layers.MaxPooling2D(3, 2, padding="same")
        self.first = layers.Conv2D(scale(64), 7, strides=2, padding="same", activation="relu")
        self.second = layers.Conv2D(scale(64), 1, activation="relu")
        self.third = layers.Conv2D(scale(192), 3, padding="same", activation="relu")
        table = (
            ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
            (
                (192, 96, 208, 16, 48, 64),
                (160, 112, 224, 24, 64, 64),
                (128, 128, 256, 24, 64, 64),
                (112, 144, 288, 32, 64, 64),
                (256, 160, 320, 32, 128, 128),
            ),
            ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
        )
        self.groups = [[Inception(*map(scale, counts)) for counts in group] for group in table]
        self.average = layers.GlobalAveragePooling2D()
        self.classifier = layers.Dense(classes, activation="softmax")

    def call(self, x):
        x = self.third(self.second(self.pool(self.first(x))))
        for group in self.groups:
            x = self.pool(x)
            for block in group:
                x = block(x)
        return self.classifier(self.average(x))


def inception_block(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    return Inception(f1, f3_reduce, f3, f5_reduce, f5, pool_proj)(x)


def googlenet(input_shape=(224, 224, 3), classes=1000, width=1.0):
    return built(GoogLeNet(classes, Scale(width)), input_shape)


class Residual(layers.Layer):
    def __init__(self, filters, stride, project):
        super().__init__()
        self.first = layers.Conv2D(filters, 3, strides=stride, padding="same")
        self.second = layers.Conv2D(filters, 3, padding="same")
        self.norms = [layers.BatchNormalization() for _ in range(2)]
        self.projection = layers.Conv2D(filters, 1, strides=stride) if project else None

    def call(self, x, training=None):
        y = ops.relu(self.norms[0](self.first(x), training=training))
        y = self.norms[1](self.second(y), training=training)
        return ops.relu(y + (x if self.projection is None else self.projection(x)))


class ResNet(keras.Model):
    def __init__(self, classes, scale):
        super().__init__()
        self.first = layers.Conv2D(scale(64), 7, strides=2, padding="same")
        self.norm = layers.BatchNormalization()
        self.pool = layers.MaxPooling2D(3, 2, padding="same")
        self.blocks = [Residual(scale(64), 1, False), Residual(scale(64), 1, False)]
        for count in (128, 256, 512):
            self.blocks += [Residual(scale(count), 2, True), Residual(scale(count), 1, False)]
        self.average = layers.GlobalAveragePooling2D()
        self.classifier = layers.Dense(classes, activation="softmax")

    def call(self, x, training=None):
        x = self.pool(ops.relu(self.norm(self.first(x), training=training)))
        for block in self.blocks:
            x = block(x, training=training)
        return self.classifier(self.average(x))


def residual_block(x, filters, stride=1):
    return Residual(filters, stride, stride != 1 or x.shape[-1] != filters)(x)


def resnet18(input_shape=(224, 224, 3), classes=1000, width=1.0):
    return built(ResNet(classes, Scale(width)), input_shape)


class Layer(layers.Layer):
    def __init__(self):
        super().__init__()
        self.convolution = layers.Conv2D(16, 3, padding="same", use_bias=False)
        self.norm = layers.BatchNormalization()

    def call(self, x, shortcut=None, training=None):
        x = self.norm(self.convolution(x), training=training)
        return ops.relu(x if shortcut is None else x + shortcut)


class DeepNet(keras.Model):
    def __init__(self, depth, residual, classes):
        super().__init__()
        self.convolutions = [Layer() for _ in range(depth)]
        self.residual = residual
        self.average = layers.GlobalAveragePooling2D()
        self.classifier = layers.Dense(classes, activation="softmax")

    def call(self, x, training=None):
        x = self.convolutions[0](x, training=training)
        for first, second in zip(self.convolutions[1::2], self.convolutions[2::2], strict=True):
            y = first(x, training=training)
            x = second(y, shortcut=x if self.residual else None, training=training)
        return self.classifier(self.average(x))


def deep_net(depth, residual, input_shape=(8, 8, 1), classes=10):
    model = built(DeepNet(depth, residual, classes), input_shape)
    model.compile("adam", "categorical_crossentropy")
    return model
