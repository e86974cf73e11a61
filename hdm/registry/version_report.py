"""The evaluation report of a version: the line's own file, or the copy that MLflow keeps."""

import tempfile
from pathlib import Path

from hdm.errors import HDMError, RegistryError
from hdm.files import atomic_file, read_json
from hdm.line import Line
from hdm.registry.address import tracking_uri
from hdm.registry.history import VersionRecord, receipt_file
from hdm.registry.ledger import RETRAIN, read_ledger
from hdm.registry.mlflow_client import connect, first_line

REPORT = "report.html"


def version_report(line: Line, record: VersionRecord) -> Path:
    """The report that was written when the version was trained.

    The line's own where the last training made this version; else from the version's retrain run,
    copied to data/<line>/reports/. Raises RegistryError if MLflow does not have it.
    """
    own = line.stage_folder("evaluate") / REPORT
    if own.is_file() and _made_last(line, record):
        return own
    target = line.folder / "reports" / f"version-{record.version}.html"
    client = connect(tracking_uri(line.project))
    with tempfile.TemporaryDirectory() as scratch:
        try:
            found = Path(client.download_artifacts(record.run_id, REPORT, scratch))
            content = found.read_bytes()
        except Exception as error:
            raise RegistryError(f"MLflow has no report of {line.model_name} version "
                                f"{record.version} ({first_line(error)}); `hdm report {line.name} "
                                "--trained` opens that of the last training.") from error
    with atomic_file(target) as temporary:
        temporary.write_bytes(content)
    return target


def _made_last(line: Line, record: VersionRecord) -> bool:
    """Whether the present outputs are those that became this version."""
    try:
        receipt = read_json(receipt_file(line))
    except HDMError:
        return False
    made = isinstance(receipt, dict) and (str(receipt.get("version")), receipt.get("run_id")) == \
        (str(record.version), record.run_id)
    return made and RETRAIN not in read_ledger(line)  # else evaluate has run again meanwhile
