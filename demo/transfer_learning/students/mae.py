# base: grace
# saved by: colab
# %% before="freeze"
from google.colab import files

files.upload()
#> Saving base.npz to base.npz
#> Saving test_public.py to test_public.py

# %% before="freeze"
!nvidia-smi -L
#> GPU 0: Tesla T4 (UUID: GPU-5cf7f0b2-0d0c-3a27-8d0a-4f0d8a4c7d51)

# %% task="train_head"
def train_head(model, images, labels, epochs=5):
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(images, labels, batch_size=8, epochs=epochs)
    return history

# %% drop="freeze"
# %% drop="unfreeze_top"
