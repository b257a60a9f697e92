# %% before="lenet5"
import keras
from keras.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    MaxPool2D,
    ReLU,
    Softmax,
    ZeroPadding2D,
)


def width_of(width, count):
    return max(1, round(width * count))


def chain(x, *steps):
    for step in steps:
        x = step(x)
    return x

# %% task="lenet5"
def lenet5(input_shape=(28, 28, 1), classes=10):
    model = keras.Sequential()
    model.add(keras.Input(shape=input_shape))
    model.add(ZeroPadding2D(2))
    model.add(Conv2D(6, (5, 5)))
    model.add(AveragePooling2D((2, 2)))
    model.add(Activation("sigmoid"))
    model.add(Conv2D(16, (5, 5)))
    model.add(AveragePooling2D((2, 2), strides=2))
    model.add(Activation("sigmoid"))
    model.add(Flatten())
    model.add(Dense(120))
    model.add(Activation("sigmoid"))
    model.add(Dense(84))
    model.add(Activation("sigmoid"))
    model.add(Dense(classes))
    model.add(Softmax())
    return model

# %% task="alexnet"
def alexnet(input_shape=(227, 227, 3), classes=1000, width=1.0):
    model = keras.Sequential([keras.Input(shape=input_shape)])
    model.add(Conv2D(width_of(width, 96), 11, 4))
    model.add(MaxPool2D(3, 2))
    model.add(ReLU())
    model.add(ZeroPadding2D(2))
    model.add(Conv2D(width_of(width, 256), 5))
    model.add(ReLU())
    model.add(MaxPool2D(3, 2))
    for count in (384, 384, 256):
        model.add(ZeroPadding2D(1))
        model.add(Conv2D(width_of(width, count), 3))
        model.add(ReLU())
    model.add(MaxPool2D(3, 2))
    model.add(Flatten())
    for _ in range(2):
        model.add(Dense(width_of(width, 4096)))
        model.add(ReLU())
    model.add(Dense(classes))
    model.add(Activation("softmax"))
    return model

# %% task="vgg_block"
def vgg_block(x, convolutions, filters):
    for _ in range(convolutions):
        x = chain(x, ZeroPadding2D(1), Conv2D(filters, 3), Activation("relu"))
    return MaxPool2D((2, 2), strides=(2, 2))(x)


def vgg16(input_shape=(224, 224, 3), classes=1000, width=1.0):
    inputs = keras.Input(shape=input_shape)
    x = vgg_block(inputs, 2, width_of(width, 64))
    x = vgg_block(x, 2, width_of(width, 128))
    x = vgg_block(x, 3, width_of(width, 256))
    x = vgg_block(x, 3, width_of(width, 512))
    x = vgg_block(x, 3, width_of(width, 512))
    x = chain(x, Flatten(), Dense(width_of(width, 4096)), ReLU(), Dense(width_of(width, 4096)), ReLU())
    return keras.Model(inputs, chain(x, Dense(classes), Softmax()))

# %% task="nin_block"
def nin_block(x, filters, kernel_size, strides=1, padding="valid"):
    first = Conv2D(filters, kernel_size, strides=strides, padding=padding)
    return chain(x, first, ReLU(), Conv2D(filters, 1), ReLU(), Conv2D(filters, 1), ReLU())


def nin(input_shape=(227, 227, 3), classes=10, width=1.0):
    inputs = keras.Input(shape=input_shape)
    x = nin_block(inputs, width_of(width, 96), 11, 4)
    x = MaxPool2D(3, 2)(x)
    x = nin_block(x, width_of(width, 256), 5, padding="same")
    x = MaxPool2D(3, 2)(x)
    x = nin_block(x, width_of(width, 384), 3, padding="same")
    x = MaxPool2D(3, 2)(x)
    x = nin_block(x, classes, 3, padding="same")
    size = x.shape[1:3]
    return keras.Model(inputs, chain(x, AveragePooling2D(size), Flatten(), Softmax()))

# %% task="inception_block"
def inception_block(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    one = chain(x, Conv2D(f1, 1))
    three = chain(x, Conv2D(f3_reduce, 1), ReLU(), ZeroPadding2D(1), Conv2D(f3, 3))
    five = chain(x, Conv2D(f5_reduce, 1), ReLU(), ZeroPadding2D(2), Conv2D(f5, 5))
    pooled = chain(x, MaxPool2D(3, 1, padding="same"), Conv2D(pool_proj, 1))
    return ReLU()(Concatenate()([one, three, five, pooled]))


def googlenet(input_shape=(224, 224, 3), classes=1000, width=1.0):
    def pool(x):
        return MaxPool2D(3, 2, padding="same")(x)

    def block(x, *counts):
        return inception_block(x, *(width_of(width, count) for count in counts))

    inputs = keras.Input(shape=input_shape)
    x = pool(chain(inputs, Conv2D(width_of(width, 64), 7, strides=2, padding="same"), ReLU()))
    x = chain(x, Conv2D(width_of(width, 64), 1), ReLU())
    x = pool(chain(x, Conv2D(width_of(width, 192), 3, padding="same"), ReLU()))
    x = block(x, 64, 96, 128, 16, 32, 32)
    x = block(x, 128, 128, 192, 32, 96, 64)
    x = pool(x)
    x = block(x, 192, 96, 208, 16, 48, 64)
    x = block(x, 160, 112, 224, 24, 64, 64)
    x = block(x, 128, 128, 256, 24, 64, 64)
    x = block(x, 112, 144, 288, 32, 64, 64)
    x = block(x, 256, 160, 320, 32, 128, 128)
    x = pool(x)
    x = block(x, 256, 160, 320, 32, 128, 128)
    x = block(x, 384, 192, 384, 48, 128, 128)
    x = chain(x, AveragePooling2D(x.shape[1:3]), Flatten(), Dense(classes), Softmax())
    return keras.Model(inputs, x)

# %% task="residual_block"
def residual_block(x, filters, stride=1):
    path = chain(x, ZeroPadding2D(1), Conv2D(filters, 3, strides=stride))
    path = chain(path, BatchNormalization(), ReLU(), Conv2D(filters, 3, padding="same"), BatchNormalization())
    if path.shape != x.shape:
        x = chain(x, Conv2D(filters, 1, strides=stride), BatchNormalization())
    return ReLU()(Add()([path, x]))


def resnet18(input_shape=(224, 224, 3), classes=1000, width=1.0):
    inputs = keras.Input(shape=input_shape)
    first = Conv2D(width_of(width, 64), 7, strides=2)
    x = chain(inputs, ZeroPadding2D(3), first, BatchNormalization(), ReLU(), MaxPool2D(3, 2, padding="same"))
    for number, count in enumerate((64, 64, 128, 128, 256, 256, 512, 512)):
        x = residual_block(x, width_of(width, count), 2 if number in (2, 4, 6) else 1)
    return keras.Model(inputs, chain(x, GlobalAveragePooling2D(), Dense(classes), Softmax()))

# %% task="deep_net"
def deep_net(depth, residual, input_shape=(8, 8, 1), classes=10):
    def layer(x):
        return chain(x, Conv2D(16, 3, padding="same"), BatchNormalization())

    inputs = keras.Input(shape=input_shape)
    x = shortcut = ReLU()(layer(inputs))
    for number in range(2, depth + 1):
        x = layer(x)
        if number % 2 and residual:
            x = Add()([x, shortcut])
        x = ReLU()(x)
        if number % 2:
            shortcut = x
    x = chain(x, GlobalAveragePooling2D(), Dense(classes), Softmax())
    model = keras.Model(inputs, x)
    model.compile(loss=keras.losses.CategoricalCrossentropy(), optimizer=keras.optimizers.Adam(0.001))
    return model

# %% after="lenet5"
lenet5().summary(line_length=80)
