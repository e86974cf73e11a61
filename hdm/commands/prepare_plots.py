"""`hdm plots`: DVC's plots without a network."""

from hdm.line import find_project
from hdm.orchestration.offline_plots import write_template


def plots() -> None:
    """Make the pages of `dvc plots show` and `dvc plots diff` readable without a network."""
    print(f"{write_template(find_project())} written; `dvc plots show` and `dvc plots diff` make "
          "their pages with it from now on, on this machine.")
