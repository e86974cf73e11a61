"""Pages of `dvc plots` that need no network: DVC's own page loads its charts' scripts from one.

The scripts (Vega, Vega-Lite, Vega-Embed) come out of the package vl-convert-python, and become a
part of the template that DVC makes its pages from.
"""

from pathlib import Path

from hdm.errors import HDMError
from hdm.files import write_text
from hdm.orchestration import child_process

TEMPLATE = "offline_plots.html"
"""In .dvc/, where DVC looks for it."""
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
{{refresh_tag}}
<meta charset="utf-8">
<title>DVC plots</title>
<style>
body {{ font-family: system-ui, sans-serif; margin: 24px; }}
table {{ border-spacing: 15px; }}
</style>
<script>
(() => {{
{scripts}
}})();
</script>
</head>
<body>
{{plot_divs}}
</body>
</html>
"""
NAMED = "window.vega = vega; window.vegaLite = vegaLite; window.vegaEmbed = vegaEmbed;"
"""What the charts on DVC's pages call by name."""


def write_template(project: Path) -> Path:
    """Write the template into the project's .dvc and tell DVC of it on this machine; returns it.

    Raises HDMError without the package, without DVC in the project, or with what DVC said.
    """
    if not (project / ".dvc").is_dir():
        raise HDMError(f"expected a DVC project in {project}, found no .dvc; run this in the "
                       "project's folder.")
    try:
        from vl_convert import javascript_bundle
    except ImportError:
        raise HDMError("the charts' scripts come from a package that is not installed; say "
                       "`pip install 'hdm[plots]'`, then the same command again.") from None
    file = project / ".dvc" / TEMPLATE
    write_text(file, PAGE.format(scripts=javascript_bundle(NAMED)))
    command = child_process.dvc("config", "--local", "plots.html_template", TEMPLATE)
    with child_process.running(command, project, capture=True) as process:
        said = list(child_process.lines(process))
        if process.wait():
            raise HDMError(f"{file} is written, but DVC did not take it: {' '.join(said)}; mend "
                           "that and run the same command again.")
    return file
