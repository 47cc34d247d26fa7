"""Runs the command line: ``python -m kanviz``."""

import sys

from kanviz.cli import main

sys.exit(main())
