"""`python -m paycli`, where the script isn't on the PATH."""

from paycli.cli import main

main()
