"""The program: `paycli`, and `python -m paycli` where the script isn't on the PATH."""

import sys


def main() -> None:
    """Load the command line, which takes most of the time of a short command, and run it."""
    try:
        from paycli.cli import main as run
    except KeyboardInterrupt:
        sys.stderr.write("Error: Interrupted.\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
