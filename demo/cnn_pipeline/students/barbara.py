# base: emmy
# %% before="to_tensor"
# my usual imports
import os
import random

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers, models

# %% before="to_tensor"
random.seed(42)
np.random.seed(42)
tf.random.set_seed(42)
print("TensorFlow", tf.__version__)
#> TensorFlow 2.21.0

# %% after="train_cnn"
# the same network in Keras, to see whether mine is any good
reference = models.Sequential([
    layers.Input((8, 8, 1)),
    layers.Conv2D(16, 3, activation="relu"),
    layers.AveragePooling2D(),
    layers.Flatten(),
    layers.Dense(10, activation="softmax"),
])
reference.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
reference.summary()
#> Model: "sequential"
#>  Total params: 1,610 (6.29 KB)
