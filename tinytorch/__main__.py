"""`python -m tinytorch`: the same as the command `tinytorch`."""

import sys

from tinytorch.course.cli import main

if __name__ == "__main__":
    sys.exit(main())
