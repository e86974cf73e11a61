"""Every method that is run, by its name: HDM, what it is without one of its parts, and baselines.

All are trained from scratch on the set's own good images; none has seen another data set. What
comes with the training of another one is not run by itself (`names.COMES_WITH`).
"""

from functools import partial

from benchmarks.quality.methods import anoddpm, draem, gabor, hdm_method
from benchmarks.quality.methods.method import Fitted, Method, Score, Task
from hdm.model_settings import DagmSynthesize

__all__ = ["ABLATIONS", "METHODS", "Fitted", "Method", "Score", "Task"]

def _only(*sources: str) -> dict[str, object]:
    """Overrides that grow defects with these sources alone, at their own relative shares."""
    others = dict.fromkeys(set(DagmSynthesize().sources) - set(sources), 0.0)
    return {"dagm_synthesize": {"sources": others, "two_tones": False}}


ABLATIONS = {
    "hdm-no-dagm": Method(hdm_method.fit, over=_only("procedural", "fill")),
    "hdm-no-diffusion": Method(hdm_method.fit, over={
        "dagm_synthesize": {"sources": {"diffusion": 0.0}}}),
    "hdm-no-pom": Method(partial(hdm_method.fit, pom=False)),
    "hdm-k2": Method(hdm_method.fit, over={"ddm_train": {"reverse_steps": 2}}),
    "hdm-prior-shown": Method(hdm_method.fit, over={"ddm_train": {"prior_level": 0.25}}),
}

METHODS = {
    "hdm": Method(partial(hdm_method.fit, parts=True)),
    **ABLATIONS,
    "draem": Method(draem.fit, trained=True, one_canvas=True),
    "anoddpm": Method(anoddpm.fit, trained=True, one_canvas=True),
    "gabor-padim": Method(gabor.padim, one_canvas=True),
    "gabor-patchcore": Method(gabor.patchcore, one_canvas=True),
}
