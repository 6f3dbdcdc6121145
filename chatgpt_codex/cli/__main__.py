"""`python -m chatgpt_codex.cli` is `chatgpt-codex`."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
