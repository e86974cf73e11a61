"""Stage dagm_fit: train the normal prior on the line's good training images."""

from rich.console import Console

from hdm.dagm.prior_training import fit
from hdm.files import atomic_folder, write_json
from hdm.line import Line
from hdm.progress import progress_bar
from hdm.settings import Params
from hdm.stage_run import StageRun
from hdm.stages.inputs import normals_of
from hdm.stages.loss_log import LossLog
from hdm.stages.resume import checkpoint_file


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Write prior.safetensors, prior.json, quality.json and loss.csv to data/<line>/dagm_fit/."""
    with progress_bar(console, "reading images") as report:
        normals = normals_of(line, settings, progress=report)
    steps = settings.dagm_fit.training.steps
    with progress_bar(console, "training the normal prior") as report:
        log = LossLog(run, steps, report)
        prior = fit(normals.train, normals.form, settings.dagm_fit, settings.compute,
                    seed=settings.seed, report=log,
                    checkpoint=checkpoint_file(line, "dagm_fit", settings, line.manifest_file))
    explained = prior.explained(normals.calibration, settings.seed)
    with atomic_folder(line.stage_folder("dagm_fit")) as folder:
        prior.save(folder)
        log.save(folder / "loss.csv")
        write_json(folder / "quality.json", {"explained": explained})
    run.log_metrics({f"explained_{level}": share for level, share in explained.items()})
    run.log_artifact(line.stage_folder("dagm_fit"))
    shares = ", ".join(f"{share:.0%} at {level}" for level, share in explained.items())
    console.print(f"held-out variance explained by noise level: {shares}")
