"""Speed and memory of Inkling against stock pipelines, as ratios taken in one run: `python -m bench [NAME …]`."""
