# %% file
#!/usr/bin/env python
# coding: utf-8

# # Transfer learning

# In[1]:


import keras
import numpy as np

from autograder import check


# In[2]:


def freeze(base):
    base.trainable = False
    return base


# In[3]:


get_ipython().run_line_magic('load_ext', 'autograder')
check("freeze")
