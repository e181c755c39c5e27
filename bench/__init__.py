"""Speed and memory of Inkling beside stock pipelines, other programs and the machine's limits: `python -m bench`."""
