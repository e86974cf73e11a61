"""Every method that is run, by its name: HDM, what it is without one of its parts, and baselines.

None has seen images of defects; the encoder of `hdm`, `patchcore` and `mixture` is frozen. What
comes with the training of another one is not run by itself (`names.COMES_WITH`).
"""

from functools import partial

from benchmarks.quality.methods import draem, gabor, hdm_method, latents
from benchmarks.quality.methods.method import Fitted, Method, Score, Task
from hdm.model_settings import DagmSynthesize

__all__ = ["ABLATIONS", "METHODS", "Fitted", "Method", "Score", "Task"]


def _only(*sources: str) -> dict[str, object]:
    """Overrides that grow defects with these sources alone, at their own relative shares."""
    others = dict.fromkeys(set(DagmSynthesize().sources) - set(sources), 0.0)
    return {"dagm_synthesize": {"sources": others, "two_tones": False}}


ABLATIONS = {
    "hdm-no-sources": Method(hdm_method.fit, over=_only("procedural", "fill")),
    "hdm-no-pom": Method(partial(hdm_method.fit, pom=False)),
}

METHODS = {
    "hdm": Method(hdm_method.fit),
    **ABLATIONS,
    "patchcore": Method(latents.patchcore),
    "mixture": Method(latents.mixture),
    "draem": Method(draem.fit, trained=True, one_canvas=True),
    "gabor-padim": Method(gabor.padim, one_canvas=True),
    "gabor-patchcore": Method(gabor.patchcore, one_canvas=True),
}
