"""A part counts once, when it is complete, by one of its pictures; and what is said otherwise."""

import numpy as np
import pytest
from lines import POINT, calibration, rows, undecidable

from hdm.monitoring.drift import counted, watch
from hdm.monitoring.part_values import LATE, by_part, doubt, drawn_of, highest_of


def known(pictures, parts=50):
    """A calibration of so many pictures a part."""
    plain = calibration(parts * pictures)
    groups = np.random.default_rng(5).permutation(np.repeat(np.arange(parts), pictures))
    return plain.__class__(plain.normal_scores, plain.appearance, (), plain.pixel, plain.image,
                           tuple(groups.tolist()))


def of_parts(pictures, parts=60, seed=1):
    found = rows(parts * pictures, seed)
    found["part"] = np.repeat([f"p{n}" for n in range(parts)], pictures)
    return found


@pytest.mark.parametrize("pictures", [2, 3, 5])
def test_a_part_counts_once_by_one_of_its_pictures(pictures):
    logged = of_parts(pictures)
    found = by_part(logged, known(pictures))
    assert len(found) == 60 and found["id"].tolist() == list(range(pictures, 60 * pictures + 1,
                                                                   pictures))
    by_name = logged.groupby("part")
    for row in found.itertuples():
        own = by_name.get_group(row.part)
        assert row.score in set(own["score"]) and row.highest == own["score"].max()
        assert own.loc[own["score"] == row.score, "brightness"].item() == row.brightness
    places = [logged.index[logged["score"] == score].item() % pictures for score in found["score"]]
    assert set(places) == set(range(pictures)), "drawn, and not always the first"


@pytest.mark.parametrize("part", [None, "own"])
def test_where_every_picture_is_its_own_part_nothing_changes(part):
    logged = rows(80)
    if part:
        logged["part"] = [f"{part}{n}" for n in range(80)]
    found = by_part(logged, calibration())
    assert found["score"].tolist() == logged["score"].tolist() == found["highest"].tolist()
    assert found["id"].tolist() == logged["id"].tolist() and doubt(logged, calibration()) == ""


@pytest.mark.parametrize("there", [1, 2, 3])
def test_the_newest_part_waits_until_it_is_complete(there):
    logged = of_parts(4)[:40 + there]
    assert len(by_part(logged, known(4))) == 10
    assert len(by_part(of_parts(4)[:44], known(4))) == 11


def test_pictures_of_a_part_that_come_apart_are_put_together():
    """Camera 2 stands thirty parts down the line."""
    logged = of_parts(2, parts=40)
    order = np.lexsort((np.arange(80), np.arange(80) // 2 + 30 * (np.arange(80) % 2)))
    logged = logged.iloc[order].assign(id=np.arange(1, 81))
    assert len(by_part(logged, known(2))) == 40
    assert len(by_part(logged[:50], known(2))) == 10  # the others wait for camera 2


def test_a_part_that_lacks_pictures_counts_late():
    logged = of_parts(2, parts=LATE + 20)
    logged = logged.drop(index=6).reset_index(drop=True)
    found = by_part(logged, known(2))
    assert len(found) == LATE + 20
    assert len(by_part(logged[:100], known(2))) == 49


def test_counters_that_begin_again_are_other_parts():
    logged = of_parts(2, parts=60)
    logged["part"] = np.repeat([f"{n % 20}" for n in range(60)], 2)
    assert len(by_part(logged, known(2))) == 60


def test_calibration_parts_give_one_value_each():
    told = known(4)
    places, highest = drawn_of(told), highest_of(told)
    assert len({told.groups[place] for place in places}) == len(places) == 50
    assert all(told.normal_scores[place] <= top
               for place, top in zip(places, highest, strict=True))
    assert np.sort(highest).tolist() == told.part_scores.tolist()
    assert drawn_of(calibration()).tolist() == list(range(100))


@pytest.mark.parametrize(("told", "logged", "doubted"), [
    (known(3), of_parts(3), False), (known(3), rows(60), True), (calibration(), rows(60), False),
    (calibration(), of_parts(3), True)])
def test_what_cannot_be_promised_is_said(told, logged, doubted):
    said = doubt(logged, told)
    assert bool(said) is doubted
    assert not doubted or "none asks for a retraining by itself" in said


@pytest.mark.parametrize("part_known", [True, False])
def test_alike_pictures_are_a_false_alarm_only_where_parts_are_unknown(part_known):
    alarms = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        level = np.repeat(random.standard_normal((300, 4)), 4, axis=0)
        logged = of_parts(4, parts=300, seed=seed)
        logged[["score", "brightness", "contrast", "sharpness"]] = \
            0.95 * level + 0.3 * random.standard_normal(level.shape)
        if not part_known:
            logged["part"] = None
        seen = watch(known(4), POINT, counted(logged, POINT.threshold), 0.01, 0.02)
        alarms += any(stream.alarm for stream in seen)
    assert (alarms <= 1) is part_known and (alarms >= 8) is not part_known


def test_a_defective_picture_makes_a_defective_part_and_unreadable_ones_none():
    logged = undecidable(of_parts(3), np.arange(180) % 3 == 1)
    logged.loc[0, "score"] = 9.0
    found = by_part(logged, known(3))
    assert found["highest"].iloc[0] == 9.0
    assert found["highest"].notna().all()
    share = (found["decision"] == "undecidable").mean()
    assert share == pytest.approx(1 / 3, abs=0.2), "one picture a part is asked"
