"""Which column of a table is what, by the names that people give to columns."""

import difflib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from hdm.dataset.images import SUFFIXES
from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.readers.label_words import plain

COLUMNS = ("path", "split", "label", "is_good", "is_defect", "defect_type", "mask_path", "group")
LABELS = ("label", "is_good", "is_defect", "defect_type")

_SYNONYMS = {
    "path": """path file filename filepath fname image imagefile imagename imagepath img imgfile
        imgname imgpath picture photo uri url bild bilddatei bildname bildpfad datei dateiname
        dateipfad pfad sourceref""",
    "split": "split set subset partition fold phase datasplit usage",
    "mask_path": """mask maskfile maskname maskpath maske maskenpfad gt gtpath gtfile gtmask
        groundtruth groundtruthpath groundtruthmask segmentation segmentationmask segmask""",
    "group": """group groupid part partid serial serialno serialnumber sn teil teilid teilenr
        seriennummer seriennr werkstück werkstueck specimen specimenid workpiece workpieceid""",
    "label": """label labels class classes classname target targets y status result results
        verdict quality judgement judgment decision grade outcome disposition condition category
        type okng oknok iosnio ionio passfail goodbad goodnotgood labelname inspectionresult
        testresult klasse klassifikation ergebnis prüfergebnis pruefergebnis bewertung urteil
        qualität qualitaet zustand typ kategorie gtlabel groundtruthlabel""",
    "is_good": """ok isok good isgood pass passed ispass normal isnormal qualityok gut io istio
        istok accept accepted conforming conform okay isconforming""",
    "is_defect": """defect defects isdefect defective isdefective hasdefect hasdefects anomaly
        isanomaly isanomalous anomalous hasanomaly abnormal isabnormal faulty isfaulty fault
        hasfault fehler hatfehler fehlerhaft istfehlerhaft defekt istdefekt nok isnok ng isng nio
        istnio istnok bad isbad fail failed isfail reject rejected isreject ausschuss schlecht
        scrap isscrap ko isko notok outlier isoutlier""",
    "defect_type": """defecttype defectclass defectname defectkind defectcategory defectlabel
        anomalytype anomalyclass faulttype failuretype fehlertyp fehlerart fehlerklasse defektart
        defekttyp defectcode fehlercode""",
}
_ROLES = {plain(name): role for role, names in _SYNONYMS.items() for name in names.split()}
_NEAR = 0.75


def columns_by_role(file: Path, table: pd.DataFrame, said: Mapping[str, str],
                    ) -> tuple[dict[str, list[str]], list[str]]:
    """Role (see COLUMNS) -> the columns of that role, and sentences about what is left alone.

    `said` (role -> column, '' for none) is what a person has said: it goes before names. Of what
    says whether a part is good (LABELS) there may be several columns, of each other role there is
    at most one. Raises DataError for a misspelt or missing column, or where two could be meant.
    """
    names = [str(name) for name in table.columns]
    for role, name in said.items():
        if name and name not in names:
            raise DataError(f"{file}: expected the column {name!r}, which pipelines.yaml says is "
                            f"{role}; found {', '.join(names) or 'none'}; correct source.columns.")
    taken = set(said.values())
    found: dict[str, list[str]] = {role: [said[role]] if said.get(role) else [] for role in COLUMNS}
    settled = set(said) | (set(LABELS) if set(LABELS) & set(said) else set())
    notes = []
    for name in names:
        known = _ROLES.get(plain(name))
        if known and name not in taken and known not in settled:
            found[known].append(name)
    _refuse_misspelt(file, [name for name in names if name not in taken
                            and plain(name) not in _ROLES], found, settled)
    for role in ("path", "split", "mask_path", "group"):
        if role not in settled:
            found[role] = _one(file, table, role, found[role])
    if not found["path"]:
        raise DataError(f"{file}: expected a column path, found {', '.join(names) or 'none'}; "
                        "name the column of image files so.")
    for role in ("group", "split", "mask_path"):
        for name in found[role]:
            if role not in said and plain(name) != plain(role) \
                    and (why := _something_else(role, list(table[name]))):
                found[role] = []
                notes.append(f"The column {name!r} {why}, and is not read as {role}.")
    return found, notes


def _something_else(role: str, cells: list[str]) -> str:
    """Why a column whose name might mean a role has it not, by its values; '' if it has."""
    values = {cell for cell in cells if cell}
    if role == "group" and len(values) == 1 and len(cells) > 1:
        return f"has one value, {next(iter(values))!r}"
    if role == "split" and values and all(value.isdigit() for value in values):
        return "numbers folds"
    if role == "mask_path" and values and not any(map(_is_file_name, values)):
        return "holds no names of image files"
    return ""


def _refuse_misspelt(file: Path, unknown: list[str], found: Mapping[str, list[str]],
                     settled: set[str]) -> None:
    for name in unknown:
        near = difflib.get_close_matches(name.strip().lower(), COLUMNS, n=1, cutoff=_NEAR)
        if near and not found[near[0]] and near[0] not in settled:
            raise DataError(f"{file}: unknown column {name!r}; did you mean {near[0]!r}?")


def _one(file: Path, table: pd.DataFrame, role: str, columns: list[str]) -> list[str]:
    """At most one of `columns`: the one of the plain name, else one that alone can be meant."""
    exact = [name for name in columns if plain(name) == plain(role)]
    if exact or len(columns) < 2:
        return exact[:1] or columns
    if role in ("path", "mask_path"):
        files = [name for name in columns if table[name].map(_is_file_name).any()]
        columns = files or columns
    same = all(table[name].equals(table[columns[0]]) for name in columns)
    if not same:
        raise DataError(f"{file}: {listing([repr(name) for name in columns])} could each be the "
                        f"column {role}; rename one to {role}, or say `source: {{columns: "
                        f"{{{role}: {columns[0]}}}}}` in pipelines.yaml.")
    return columns[:1]


def _is_file_name(value: str) -> bool:
    return any(value.lower().endswith(suffix) for suffix in SUFFIXES)
