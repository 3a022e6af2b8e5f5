"""paycli with short pauses between its looks at a table: a program of its own, for `CommandLine`."""

from pathlib import Path

from paycli import cli
from paycli.operations.restore import cleanup, reading, restoring, settings

PROGRAM = (str(Path(__file__)),)
PAUSES = ((restoring, "_FASTEST"), (settings, "_PAUSE"), (cleanup, "_PAUSE"), (reading, "_FIRST_PAUSE"))
SHORT = 0.001  # seconds

if __name__ == "__main__":
    for module, name in PAUSES:
        setattr(module, name, SHORT)
    cli.main()
