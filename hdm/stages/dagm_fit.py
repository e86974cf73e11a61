"""Stage dagm_fit: train the latent prior on the line's good training images."""

from rich.console import Console

from hdm.backbone.encoder import Encoder
from hdm.dagm import latent_training
from hdm.dagm.encoding import Views, spread_encoded
from hdm.dagm.latent_vectors import gathered
from hdm.dataset.held_out import joining_images
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import learned_images, load_prepared, measure_format
from hdm.diffusion.compute import Backend
from hdm.files import atomic_folder, write_json
from hdm.line import Line
from hdm.progress import progress_bar
from hdm.settings import Params
from hdm.stage_run import StageRun
from hdm.stages.inputs import PRIOR, save_format
from hdm.stages.line_regions import ignored_text
from hdm.stages.loss_log import LossLog
from hdm.stages.resume import checkpoint_file


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Write input.json, prior/, quality.json and loss.csv to data/<line>/dagm_fit/; without a
    backbone input.json alone."""
    manifest = Manifest.load(line.manifest_file, line.source_root)
    form = measure_format(manifest.split("train"), settings.image,
                          ignored_text(line, manifest.split("train")))
    if form.ignore_mask:
        console.print(f"{form.ignore_mask.share:.0%} of each picture is not inspected "
                      f"({line.region_file.name})", highlight=False)
    if settings.dagm_fit.backbone == "none":
        with atomic_folder(line.stage_folder("dagm_fit")) as folder:
            save_format(form, folder)
        console.print("no backbone (dagm_fit.backbone): the discriminator answers alone")
        return
    backend = Backend(settings.compute)
    training, held_out = learned_images(manifest.split("train")), joining_images(manifest)
    encoder = Encoder.published(backend.device)
    with progress_bar(console, "encoding good images") as report:
        views = Views(training, form, settings.dagm_fit.views, settings.benign, settings.seed)
        space, vectors = gathered(
            spread_encoded(views, encoder, settings.compute, line.params.compute.cluster),
            len(training), settings.dagm_fit.dimensions, seed=settings.seed, progress=report)
    with progress_bar(console, "training the latent prior") as report:
        log = LossLog(run, settings.dagm_fit.training.steps, report)
        prior = latent_training.fit(
            vectors, space, encoder, settings.dagm_fit, backend, seed=settings.seed, report=log,
            checkpoint=checkpoint_file(line, "dagm_fit", settings, line.manifest_file))
    with console.status("asking held-out good images"):
        load = load_prepared(held_out, form)
        prior, quality = latent_training.told_what_helps(
            prior, lambda number: form.for_encoder(load(number)[None]), len(held_out),
            form.ignored_at)
    with atomic_folder(line.stage_folder("dagm_fit")) as folder:
        save_format(form, folder)
        (folder / PRIOR).mkdir()
        prior.save(folder / PRIOR)
        log.save(folder / "loss.csv")
        write_json(folder / "quality.json", quality | {"told": prior.told._asdict()})
    run.log_metrics(quality)
    run.log_artifact(line.stage_folder("dagm_fit"))
    shares = ", ".join(f"{share:.0%} at {name.removeprefix('explained_')}"
                       for name, share in quality.items() if name.startswith("explained_"))
    told = " and ".join(name for name, given in zip(
        ("its place", "the mean of its image"), prior.told, strict=True) if given)
    console.print(f"held-out variance explained by noise level: {shares}; "
                  f"the prior is told {told or 'nothing more'} of each latent")
