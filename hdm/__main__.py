"""`python -m hdm`: the same as the `hdm` command."""

from hdm.cli import main

if __name__ == "__main__":
    main()
