"""Which image is on which sheet, and in which order."""

from dataclasses import replace

import pytest

from hdm.evaluation.evaluation import evaluate
from hdm.report.content import extent
from hdm.report.gallery import Chapter, cards, chapters, file_stem


@pytest.fixture
def evaluation(shared_split, settings):
    return evaluate(shared_split.manifest, shared_split.ordered(), settings)


def names(evaluation):
    return {c.name: [evaluation.scores["path"][row] for row in c.rows]
            for c in chapters(evaluation)}


def test_sheets_are_worst_first(evaluation):
    assert names(evaluation) == {
        "escapes": ["test/scratch/s2.png"],
        "false_alarms": ["test/good/g3.png"],
        "detected": ["test/dent/d1.png", "test/dent/d0.png", "test/scratch/s1.png",
                     "test/scratch/s0.png"],
        "good": ["test/good/g2.png", "test/good/g1.png", "test/good/g0.png"],
        "type_dent": ["test/dent/d1.png", "test/dent/d0.png"],
        "type_scratch": ["test/scratch/s2.png", "test/scratch/s1.png", "test/scratch/s0.png"]}


def test_captions_say_file_score_threshold_and_decision(shared_split, evaluation):
    by_name = {c.name: c for c in chapters(evaluation)}
    escape, = cards(by_name["escapes"], shared_split.manifest, evaluation, 9)
    assert escape.name == "test/scratch/s2.png"
    assert escape.verdict == "defect, missed · score 0.4 ≤ threshold 0.5"
    assert escape.wrong
    alarm, = cards(by_name["false_alarms"], shared_split.manifest, evaluation, 9)
    assert alarm.verdict == "good, false alarm · score 0.6 > threshold 0.5"
    detected = list(cards(by_name["detected"], shared_split.manifest, evaluation, 2))
    assert [card.verdict.split(" ·")[0] for card in detected] == ["defect, detected"] * 2
    assert not any(card.wrong for card in detected)


def test_an_undecidable_good_part_is_wrong_and_an_undecidable_defect_is_stopped(builder, settings):
    builder.add("g", "good", 0.1).add("d", "dent", 0.2)
    for path, found in builder.predictions.items():
        builder.predictions[path] = replace(found, decision="undecidable",
                                            reasons=(("too_dark", "Too dark."),))
    split = builder.build()
    found = evaluate(split.manifest, split.ordered(), settings)
    sheet = next(c for c in chapters(found) if c.name == "undecidable")
    told = {card.name: card.wrong for card in cards(sheet, split.manifest, found, 9)}
    assert told == {"test/good/g.png": True, "test/dent/d.png": False}


def test_empty_sheets_are_left_out(builder, settings):
    split = builder.add("a", "good", 0.1).add("b", "good", 0.2).build()
    found = evaluate(split.manifest, split.ordered(), settings)
    assert list(names(found)) == ["good"]


def test_equal_scores_are_ordered_by_path(builder, settings):
    for name in "cab":
        builder.add(name, "good", 0.1)
    split = builder.build()
    assert names(evaluate(split.manifest, split.ordered(), settings))["good"] == [
        "test/good/a.png", "test/good/b.png", "test/good/c.png"]


def test_sixteen_bit_images_are_drawn(builder, settings):
    split = builder.add("a", "dent", 0.9, depth=16).build()
    found = evaluate(split.manifest, split.ordered(), settings)
    card, = cards(chapters(found)[0], split.manifest, found, 1)
    assert len(set(card.picture.crop((0, 0, 200, 200)).convert("L").getdata())) > 20


def test_file_names_of_defect_types_are_safe_and_unlike():
    assert file_stem("bent wire/../x", set()) == "type_bent_wire_x"
    assert file_stem("Crack", {"type_crack"}) == "type_Crack_2"
    assert file_stem("a b", {"type_a_b", "type_a_b_2"}) == "type_a_b_3"
    assert file_stem("Kratzer_ä", set()) == "type_Kratzer_ä"
    assert len(file_stem("x" * 500, set())) < 80


def test_extent():
    chapter = Chapter("escapes", "Escapes", "lowest score first", (1, 2, 3))
    assert extent(chapter, 2) == "2 of 3 images, lowest score first"
    assert extent(chapter, 3) == "3 images, lowest score first"
    assert extent(Chapter("good", "", "highest score first", (1,)), 1) == \
        "1 image, highest score first"
