"""`python -m inference`: every task without Discord."""

import sys

from inference.cli import main

if __name__ == "__main__":
    sys.exit(main())
