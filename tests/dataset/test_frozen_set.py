"""A frozen test set: the file, and what ingest makes of a source that has one."""

import pytest
from image_files import fill, mask, mvtec, pixels, write

from hdm.dataset.frozen_set import FrozenSet, frozen_file, read_frozen, write_frozen
from hdm.dataset.test_set import Entry, content_name
from hdm.errors import ConfigError, DataError
from hdm.ingest.build_manifest import ingest
from hdm.pipelines import Source
from hdm.settings import Ingest

ENTRIES = (Entry("good/1, x.png", "a" * 64, 0, "good", ""),
           Entry("dent/1.png", "b" * 64, 1, "dent", "c" * 64))


def run(source, frozen=None):
    return ingest(source, Source(path=str(source)), Ingest(), 0, frozen=frozen)


def freeze(source, name="spring"):
    return FrozenSet("plates", name, run(source).tested)


def splits(result):
    return {row.path: row.split for row in result.manifest}


@pytest.fixture
def plain(tmp_path):
    """A source without a test split of its own."""
    fill(tmp_path / "good", 40, 0)
    fill(tmp_path / "dent", 3, 500)
    for i in range(3):
        mask(tmp_path / f"ground_truth/dent/{i:03d}_mask.png")
    return tmp_path


def test_file_keeps_the_entries_and_is_written_once(tmp_path):
    folder = tmp_path / "plates"
    assert write_frozen(folder, "spring", ENTRIES)
    assert not write_frozen(folder, "spring", ENTRIES[::-1])
    assert read_frozen(folder / "spring.csv") == FrozenSet("plates", "spring",
                                                           tuple(sorted(ENTRIES)))
    with pytest.raises(ConfigError, match="'spring' exists already with other content"):
        write_frozen(folder, "spring", ENTRIES[:1])
    assert len(read_frozen(folder / "spring.csv").entries) == 2


def test_names_that_cannot_be_or_that_lie_are_refused(tmp_path):
    for name in ("../x", "", "A", "a b", "a.csv"):
        with pytest.raises(ConfigError, match="choose another name"):
            frozen_file(tmp_path, name)
    with pytest.raises(ConfigError, match="says that its content is another"):
        write_frozen(tmp_path, "test-00000000", ENTRIES)
    assert write_frozen(tmp_path, content_name(ENTRIES), ENTRIES)


@pytest.mark.parametrize("text", ["", "path,sha256\nx,y\n", "\0", "ü", "path,sha256,label,"
                                  "defect_type,mask_sha256\na,b,no,good,\n"])
def test_damaged_file_is_one_sentence(tmp_path, text):
    (tmp_path / "x.csv").write_text(f"# test-00000000\n{text}", encoding="latin-1")
    with pytest.raises(ConfigError, match=r"is not a frozen test set .*restore it from git"):
        read_frozen(tmp_path / "x.csv")


def test_an_edited_file_is_noticed(tmp_path):
    write_frozen(tmp_path, "spring", ENTRIES)
    file = tmp_path / "spring.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(ConfigError, match=r"spring\.csv was edited: its content is test-.* "
                                          r"frozen as test-.*; restore it from git"):
        read_frozen(file)


def test_missing_file_names_those_that_are_there(tmp_path):
    write_frozen(tmp_path, "spring", ENTRIES)
    with pytest.raises(ConfigError, match=r"no frozen test set 'autumn' .*has: spring\."):
        read_frozen(tmp_path / "autumn.csv")


def test_freezing_what_is_there_changes_no_split(plain, tmp_path_factory):
    assert splits(run(plain, freeze(plain))) == splits(run(plain))
    other = mvtec(tmp_path_factory.mktemp("mvtec"))
    assert splits(run(other, freeze(other))) == splits(run(other))


def test_new_good_images_train_and_new_defects_wait(plain):
    frozen = freeze(plain)
    before = splits(run(plain))
    fill(plain / "good/later", 40, 900)
    write(plain / "dent/new.png", pixels(990))
    unfrozen = splits(run(plain))
    assert [path for path in unfrozen if "later" in path and unfrozen[path] == "test"]
    result = run(plain, frozen)
    found = splits(result)
    assert result.tested == frozen.entries
    assert {split for path, split in found.items() if "later" in path} == {"train", "calibration"}
    assert found["dent/new.png"] == "holdout"
    assert result.waiting == ["dent/new.png"]
    assert any(remark.startswith("1 images (0 good, 1 defective) wait outside the frozen test set "
                                 "'spring'") and "freeze plates --add-waiting" in remark
               for remark in result.warnings)
    assert all(found[path] == "test" for path, split in before.items() if split == "test")


def test_new_images_of_a_source_with_its_own_test_folder_wait(tmp_path):
    frozen = freeze(mvtec(tmp_path))
    write(tmp_path / "test/good/new.png", pixels(991))
    write(tmp_path / "test/scratch/new.png", pixels(992))
    write(tmp_path / "train/good/new.png", pixels(993))
    result = run(tmp_path, frozen)
    assert result.tested == frozen.entries
    assert result.waiting == ["test/good/new.png", "test/scratch/new.png"]
    assert splits(result)["train/good/new.png"] in ("train", "calibration")


def test_further_images_of_a_tested_part_are_never_trained_on(plain):
    frozen = freeze(plain)
    tested = next(entry.path for entry in frozen.entries if not entry.label)
    write(plain / "good/again.png", pixels(994))
    (plain / "parts.csv").write_text(f"path,group\n{tested},part7\ngood/again.png,part7\n")
    result = run(plain, frozen)
    assert splits(result)["good/again.png"] == "holdout"
    assert result.waiting == ["good/again.png"]


def test_defects_of_a_trained_part_are_out_for_good(plain):
    frozen = freeze(plain)
    trained = next(path for path, split in splits(run(plain)).items() if split == "train")
    write(plain / "dent/again.png", pixels(995))
    (plain / "parts.csv").write_text(f"path,group\n{trained},part7\ndent/again.png,part7\n")
    result = run(plain, frozen)
    assert splits(result)[trained] in ("train", "calibration")
    assert splits(result)["dent/again.png"] == "holdout"
    assert result.waiting == []


@pytest.mark.parametrize(("damage", "problem"), [
    (lambda root: (root / "dent/001.png").unlink(), r"dent/001.png \(missing\)"),
    (lambda root: write(root / "dent/001.png", pixels(996)), r"dent/001.png \(other pixels\)"),
    (lambda root: write(root / "ground_truth/dent/001_mask.png", pixels(997)),
     r"dent/001.png \(another mask\)"),
    (lambda root: (root / "ground_truth/dent/001_mask.png").unlink(),
     r"dent/001.png \(another mask\)"),
])
def test_a_frozen_image_that_changed_stops_the_line(plain, damage, problem):
    frozen = freeze(plain)
    damage(plain)
    with pytest.raises(DataError, match=rf"1 of {len(frozen.entries)} images of the frozen test "
                                        rf"set 'spring' are not what they were: {problem}; restore "
                                        r"them, or freeze .* `hdm testset freeze plates`\.$"):
        run(plain, frozen)


def test_relabelled_image_stops_the_line(tmp_path):
    images = "\n".join(f"good/{i:03d}.png,good" for i in range(20))
    fill(tmp_path / "good", 21, 0)
    table = tmp_path / "t.csv"
    table.write_text(f"path,defect_type\n{images}\ngood/020.png,dent\n")
    frozen = freeze(table)
    table.write_text(f"path,defect_type\n{images}\ngood/020.png,hole\n")
    with pytest.raises(DataError, match=r"good/020.png \(was dent, is hole\)"):
        run(table, frozen)
