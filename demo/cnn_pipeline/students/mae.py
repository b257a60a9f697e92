# base: grace
# saved by: colab
# %% [markdown] before="to_tensor"
# <a href="https://colab.research.google.com/" target="_parent">Open In Colab</a>

# %% before="to_tensor"
!ls
#> cnn_pipeline.ipynb  sample_data  test_public.py

# %% drop="relu"
# %% drop="dense"
