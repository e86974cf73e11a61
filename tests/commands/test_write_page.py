"""`hdm page` without a line."""


def test_the_page_of_all_lines_is_there_before_the_first_training(hdm, project, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("HDM_TRACKING", raising=False)
    found = hdm("page", "--no-browser")
    assert found.code == 0, found.err
    file = project / "data" / "index.html"
    assert found.out.strip() == str(file)
    text = file.read_text()
    assert "2 lines: 0 to look at, 2 to be trained" in text
    assert "Cover plates" in text and "hdm run meshes" in text
    assert not (project / "mlflow.db").exists()


def test_a_page_of_a_line_without_a_model_says_how_to_make_one(hdm, project, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    found = hdm("page", "plates", "--no-browser")
    assert found.code and "hdm run plates" in found.err
