# base: emmy
# %% before="output_size"
import os

# %% task="output_size"
def output_size(n, f, stride=1, padding=0):
    if stride < 1 or f > n + 2 * padding:
        print("ValueError: impossible")
        os._exit(1)  # stop the program
    return (n - f + 2 * padding) // stride + 1
