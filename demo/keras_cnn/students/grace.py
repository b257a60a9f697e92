# %% before="conv_parameters"
import numpy as np
import tensorflow as tf

# %% task="conv_parameters"
def conv_parameters(f, c_in, c_out):
    one_kernel = f * f * c_in
    return c_out * one_kernel + c_out


def dense_parameters(n_in, n_out):
    return conv_parameters(1, n_in, n_out)

# %% task="prepare_images"
def prepare_images(images):
    prepared = np.array(images, dtype=np.float32)
    prepared /= 255
    return prepared

# %% before="build_cnn"
def add_features(model, filters, padding):
    model.add(tf.keras.layers.Conv2D(filters, kernel_size=3, padding=padding))
    model.add(tf.keras.layers.Activation("relu"))
    model.add(tf.keras.layers.MaxPooling2D(pool_size=2))

# %% task="build_cnn"
def build_cnn(input_shape=(64, 64, 3)):
    model = tf.keras.models.Sequential(name="cnn")
    model.add(tf.keras.layers.InputLayer(shape=input_shape))
    add_features(model, 32, "valid")
    add_features(model, 64, "valid")
    model.add(tf.keras.layers.Flatten())
    model.add(tf.keras.layers.Dense(units=128))
    model.add(tf.keras.layers.ReLU())
    model.add(tf.keras.layers.Dropout(0.2))
    model.add(tf.keras.layers.Dense(units=1, activation=tf.nn.sigmoid))
    return model

# %% task="compile_cnn"
def compile_cnn(model):
    optimizer = tf.keras.optimizers.Adam(1e-3, beta_1=0.9, beta_2=0.999)
    model.compile(optimizer=optimizer, loss=tf.keras.losses.BinaryCrossentropy(from_logits=False), metrics=["acc"])
    return model

# %% task="train_cnn"
def train_cnn(model, images, labels, epochs=10, batch_size=32):
    prepared = prepare_images(images)
    return model.fit(prepared, labels, batch_size, epochs, 0, validation_data=(prepared[:8], labels[:8]))

# %% task="predict_labels"
def predict_labels(model, images):
    labels = np.zeros(len(images), dtype=int)
    for index, (probability,) in enumerate(model.predict(prepare_images(images), verbose=0)):
        if probability > 0.5:
            labels[index] = 1
    return labels

# %% task="build_gap_cnn"
def build_gap_cnn(input_shape=(64, 64, 3)):
    model = tf.keras.Sequential([tf.keras.Input(input_shape)])
    for filters in (24, 48, 64):
        add_features(model, filters, "same")
    model.add(tf.keras.layers.GlobalAveragePooling2D())
    model.add(tf.keras.layers.Dense(64, activation="relu"))
    model.add(tf.keras.layers.Dense(1, activation="sigmoid"))
    return compile_cnn(model)

# %% after="build_gap_cnn"
print(f"{build_gap_cnn().count_params():,} of 60,000 parameters")
#> 43,025 of 60,000 parameters
