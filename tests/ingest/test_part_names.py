"""Parts from names: by a rule that was given, or proposed and not applied."""

import pytest

from hdm.errors import DataError
from hdm.ingest.part_names import propose, with_parts
from hdm.ingest.readers.image_record import Record


def records(paths):
    return [Record(path, None, "good" if "good/" in path else "scratch") for path in paths]


def named(*patterns, parts=20):
    return records([pattern.format(n) for pattern in patterns for n in range(parts)])


@pytest.mark.parametrize(("patterns", "rule"), [
    (("good/part_{:02}_cam1.png", "good/part_{:02}_cam2.png"), "{part}_*"),
    (("good/{:03}-L.png", "good/{:03}-R.png"), "{part}-*"),
    (("good/top {:03}.png", "good/side {:03}.png", "good/rear {:03}.png"), "* {part}"),
    (("good/{:03}a.jpg", "good/{:03}b.jpg", "good/{:03}c.jpg"), "{part}?"),
    (("good/p{:03}/top.png", "good/p{:03}/side.png"), "{part}/*"),
    (("good/cam1/{:03}.png", "good/cam2/{:03}.png"), "*/{part}"),
    (("good/{:03}_1.png", "good/{:03}_2.png", "scratch/{:03}_1.png", "scratch/{:03}_2.png"),
     "{part}/{part}_*"),
    (("train/good/{0:03}_1.png", "train/good/{0:03}_2.png", "test/good/{0:03}_1.png",
      "test/good/{0:03}_2.png"), "{part}/{part}/{part}_*")])
def test_names_of_several_pictures_a_part_are_noticed_and_asked_about(patterns, rule):
    found, notes = with_parts(named(*patterns), "")
    assert propose(found) == rule
    assert all(record.group is None for record in found), "nothing is applied by itself"
    assert f'part_rule: "{rule}"' in notes[0] and "each picture counts as its own part" in notes[0]
    grouped, told = with_parts(named(*patterns), rule)
    assert all(record.group for record in grouped)
    assert told == [f"{len(grouped)} images show {len({r.group for r in grouped})} parts."]


@pytest.mark.parametrize("paths", [
    [f"good/{n:03}.png" for n in range(40)],
    [f"good/good_{n:03}.png" for n in range(40)],
    [f"train/good/{n:03}.png" for n in range(40)] + [f"test/good/{n:03}.png" for n in range(40)],
    [f"good/IMG_2024_{n:05}.png" for n in range(40)],
    [f"good/2024050{day}_{n:04}.png" for day in range(1, 9) for n in range(30)],
    ["good/a_1.png", "good/a_2.png", "good/b_1.png", "good/b_2.png"],
    []])
def test_other_names_are_not(paths):
    assert propose(records(paths)) == ""
    assert with_parts(records(paths), "")[1] == (
        ["parts unknown: each picture counts as its own part."] if paths else [])


def test_what_the_source_says_of_parts_stands():
    given = [Record("good/1_cam1.png", None, "good", group="x"),
             Record("good/1_cam2.png", None, "good"), Record("good/odd.png", None, "good")]
    found, notes = with_parts(given, "{part}_cam*")
    assert [record.group for record in found] == ["x", "1", None]
    assert notes == ["2 images show 2 parts; 1 say no part, such as good/odd.png: each of these "
                     "counts as its own."]
    assert with_parts(found[:1], "") == (found[:1], [])


def test_a_rule_that_fits_nothing_is_refused():
    with pytest.raises(DataError, match=r"fit the part rule '\{part\}-cam\*', found names such as"):
        with_parts(named("good/{:02}_cam1.png"), "{part}-cam*")
