"""Two versions side by side, and pictures of a version by how much they teach."""

from made_up_version import ROWS, evaluated

from hdm.home.judged_tests import chosen, judged_tests, views
from hdm.home.version_pair import version_pair


def paths(found):
    return [one.path for one in found]


def test_pictures_of_each_view_come_in_the_order_in_which_they_teach(tmp_path):
    found = judged_tests(evaluated(tmp_path, unsure=("good/a.png",)))
    assert paths(chosen(found, "wrong")) == ["good/c.png", "good/a.png", "dent/e2.png",
                                             "dent/d.png", "good/b.png"]
    assert paths(chosen(found, "close")) == ["dent/e.png", "spot/f.png"]
    assert paths(chosen(found, "undecidable")) == ["good/a.png"]
    assert paths(chosen(found, "dent")) == ["dent/e2.png", "dent/d.png", "dent/e.png"]
    assert len(chosen(found, "all")) == len(ROWS)
    assert list(views(found)) == ["wrong", "close", "undecidable", "all", "dent", "spot"]


def test_each_picture_says_what_it_is_and_what_was_said(tmp_path):
    found = {one.path: one for one in judged_tests(evaluated(tmp_path, unsure=("good/a.png",)))}
    assert found["dent/d.png"].said == "defect (dent): escaped"
    assert found["good/c.png"].said == "good part: stopped for nothing"
    assert found["good/a.png"].said == "good part: undecidable"
    assert found["spot/f.png"].said == "defect (spot): stopped"


def test_pictures_on_which_two_versions_disagree_name_who_is_right(tmp_path):
    pair = version_pair(evaluated(tmp_path / "1", 1, 0.35), evaluated(tmp_path / "2", 2, 0.85))
    assert [(one.first.path, one.right) for one in pair.disagreements] == [
        ("dent/e.png", 1), ("good/b.png", 2)]
    assert (pair.better(1), pair.better(2)) == (1, 1)
    rows = {row.name: row for row in pair.figures}
    assert rows["image AUROC"].first == "0.750"
    assert rows["image AUROC"].first_interval == "0.500 to 1.000"
    assert rows["pixel AUROC"].first == "–"
    assert rows["defective parts stopped"].first.startswith("66.7 %, 2 of 3")
    assert rows["defective parts stopped"].second.startswith("33.3 %, 1 of 3")
    assert rows["threshold"].second == "0.850"


def test_versions_of_two_test_sets_are_not_compared_by_picture(tmp_path):
    pair = version_pair(evaluated(tmp_path / "1"), evaluated(tmp_path / "2", test_set="test-2"))
    assert pair.disagreements is None
    assert pair.better(1) == 0
