"""Speed and memory of Inkling compared with stock pipelines, as ratios from one run: `python -m bench [NAME …]`."""
