"""Devices of other machines, through a Ray cluster (https://docs.ray.io)."""
