"""Settings are chosen on other sets than the one that is measured."""

import pytest
import torch

from benchmarks.quality import evidence_store, leave_one_out
from benchmarks.quality.leave_one_out import OWN, SETTINGS, best, rendered


def graded(**by_levels):
    """Figures of a set: 0.5, but for some levels."""
    return {s: by_levels.get(f"levels_{len(s.levels)}", 0.5) for s in [*SETTINGS, OWN]}


def test_what_is_best_on_one_set_alone_is_not_chosen_for_it():
    figures = {"a": graded(levels_0=0.9, levels_2=0.6), "b": graded(levels_2=0.8),
               "c": graded(levels_2=0.7)}
    assert len(best(figures).levels) == 2
    assert len(best({"a": figures["a"]}).levels) == 0
    lines = rendered(figures).splitlines()
    row = next(line for line in lines if line.startswith("| a "))
    assert [cell.strip() for cell in row.split("|")[2:5]] == ["0.500", "0.600", "0.600"]
    assert "0.700" in lines[-1]


@pytest.fixture
def evidence(tmp_path, monkeypatch):
    """Two sets of four good images and four with a defect that inversion alone sees."""
    monkeypatch.setattr(evidence_store, "FOLDER", tmp_path)
    generator = torch.Generator().manual_seed(0)

    def maps(defect):
        found = torch.randn(7, 16, 16, generator=generator)
        found[4, 4:8, 4:8] += 30 * defect
        return found

    for name in ("one", "two_sided"):
        evidence_store.save_evidence(f"fast-{name}-0", [False] * 4 + [True] * 4,
                                     [maps(n > 3) for n in range(8)],
                                     [maps(False) for _ in range(6)], (16, 16))
    return tmp_path


def test_reads_what_runs_left(evidence, capsys):
    assert leave_one_out.main(["--evidence", str(evidence)]) == 0
    printed = capsys.readouterr().out
    assert "| one |" in printed and "| two_sided |" in printed
    file = next(evidence.glob("fast-one-*"))
    assert leave_one_out.figures(file)[OWN._replace(levels=(), whole=0.0)] == 1.0


def test_says_what_to_run_if_there_is_nothing(tmp_path, capsys):
    assert leave_one_out.main(["--evidence", str(tmp_path)]) == 1
    assert "python -m benchmarks.quality" in capsys.readouterr().err
