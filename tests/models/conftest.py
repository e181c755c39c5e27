"""Tiny models gain nothing from several threads, and on a busy machine waiting for each other costs them seconds."""

import torch

torch.set_num_threads(1)
