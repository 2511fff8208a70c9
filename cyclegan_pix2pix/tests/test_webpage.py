"""The pages of trainings and tests: what is on them, in which order, and that every link leads somewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from PIL import Image

from shared_scripts.cli import UserError
from webpage import Picture, ResultsPage, TrainingPage, save_images

VOID = {"meta", "img", "br", "link"}


class Reader(HTMLParser):
    """A page as a list of its headings and rows; fails where tags do not close in order."""

    def __init__(self, path):
        super().__init__()
        self.open, self.texts, self.images, self.links, self.metas, self.tags = [], {}, [], [], [], []
        self.rows = []
        self.feed(Path(path).read_text(encoding="utf-8"))
        self.close()
        assert not self.open
        self.title, self.h1, self.headings = self.texts["title"][0], self.texts["h1"][0], self.texts.get("h3", [])

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "img":
            self.images.append(attrs)
            assert attrs["src"] == self.links[-1] and self.open[-1] == "a"
        if tag == "a":
            self.links.append(attrs["href"])
        if tag == "meta":
            self.metas.append(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and data.strip():
            self.texts.setdefault(self.open[-1], []).append(data)
            if "td" in self.open:
                self.rows[-1].append((data, self.images[-1]["src"]))

    @property
    def refresh(self):
        return [meta["content"] for meta in self.metas if meta.get("http-equiv") == "refresh"]


def picture(value=100, height=4, width=6, channels=3):
    return np.full((height, width, channels), value, np.uint8)


def tensor(value=0.0, height=4, width=6, channels=3):
    return torch.full((2, channels, height, width), value)


@pytest.fixture
def results(tmp_path):
    return ResultsPage(tmp_path / "maps/test_latest", "maps", "test", "latest")


# --- results ---


def test_a_results_page(results):
    for stem in ("2", "10"):
        save_images(results, {"real_A": tensor(), "fake_B": tensor()}, f"/data/{stem}.jpg")
    results.summary = "2 pictures, <model> pix2pix"
    results.write()
    page = Reader(results.folder / "index.html")
    assert page.title == page.h1 == "Experiment = maps, Phase = test, Epoch = latest"
    assert page.headings == ["2", "10"]
    assert page.rows[0] == [("real_A", "images/2_real_A.png"), ("fake_B", "images/2_fake_B.png")]
    assert page.texts["p"] == ["2 pictures, <model> pix2pix"]
    assert not page.refresh
    assert {(image["width"], image["height"], image["loading"]) for image in page.images} == {("256", "171", "lazy")}


def test_a_page_needs_nothing_from_elsewhere(results):
    save_images(results, {"real": tensor()}, "x.jpg")
    results.write()
    text = (results.folder / "index.html").read_text()
    assert not re.search(r"https?:|//|<script|<link|@import|url\(", text)
    assert 'name="viewport"' in text and "prefers-color-scheme: dark" in text


def test_pictures_are_written_as_the_tensors_first_item(results):
    visual = torch.zeros(2, 3, 2, 2)
    visual[0, 0], visual[0, 1], visual[0, 2] = -1, 1, 0.5
    files = save_images(results, {"fake_B": visual}, "a/b.jpg")
    assert files == {"fake_B": results.images / "b_fake_B.png"}
    assert np.array(Image.open(files["fake_B"])).tolist() == [[[0, 255, 191]] * 2] * 2  # 0.75 * 255, cut off


def test_transparency_is_kept(results):
    visual = tensor(1.0, channels=4)
    visual[:, 3] = 0
    files = save_images(results, {"fake": visual}, "x.png")
    assert Image.open(files["fake"]).mode == "RGBA"
    assert np.array(Image.open(files["fake"]))[0, 0].tolist() == [255, 255, 255, 127]


def test_sizes_are_brought_back_and_stretched(results):
    files = save_images(results, {"fake": tensor(height=8, width=8)}, "x.png", size=(10, 20), aspect_ratio=2.0)
    assert Image.open(files["fake"]).size == (20, 20)
    files = save_images(results, {"fake": tensor(height=8, width=8)}, "y.png", aspect_ratio=0.5)
    assert Image.open(files["fake"]).size == (16, 8)


def stems(results, paths, root=None):
    return [results.unique_name(path, root) for path in paths]


def test_equal_stems_keep_their_folder(results):
    assert stems(results, ["/d/a/1.jpg", "/d/b/1.jpg", "/d/b/c/1.jpg", "/d/a/2.jpg"], "/d") == [
        "1",
        "b_1",
        "b_c_1",
        "2",
    ]


def test_equal_stems_without_a_root_take_the_folder_above(results):
    assert stems(results, ["/d/a/1.jpg", "/d/b/1.jpg", "/e/b/1.jpg"]) == ["1", "b_1", "1_jpg"]


def test_no_name_is_ever_given_twice(results):
    paths = ["/d/b_1.jpg", "/d/1.jpg", "/d/b/1.jpg", "/d/1.png", "/d/1.PNG", "/d/B/1.bmp", "/d/1.jpg"]
    names = stems(results, paths, "/d")
    assert names[:4] == ["b_1", "1", "1_jpg", "1_png"]
    assert len({name.lower() for name in names}) == len(paths)  # also where the file system ignores case


def test_a_name_stands_for_the_stem(results):
    files = save_images(results, {"fake": tensor()}, "x.jpg", name="night/one")
    assert [path.name for path in files.values()] == ["night_one_fake.png"]


@pytest.mark.parametrize("stem", ["a b", "100%", "a#b?c", "<b>&\"'", "überall 日本", "a+b;c"])
def test_any_file_name_can_be_followed(results, stem):
    files = save_images(results, {"real": tensor()}, f"/d/{stem}.jpg")
    results.write()
    page = Reader(results.folder / "index.html")
    assert page.headings == [stem]
    assert results.folder / unquote(page.links[0]) == files["real"] and files["real"].exists()
    assert not re.search(r"[ #?<>\"']", page.links[0])


def test_a_name_that_is_no_text_does_no_harm(results):
    results.add("bad\udcff", [Picture("bad\udcff_real.png", "real")])
    results.write()
    assert Reader(results.folder / "index.html").links == ["images/bad%FF_real.png"]


def test_the_page_can_be_used_while_it_grows(results):
    index = results.folder / "index.html"
    for i in range(120):
        results.add(str(i), [Picture(f"{i}.png", "real")])
        if i == 48:
            assert not index.exists()
        if i == 49:
            assert len(Reader(index).headings) == 50
    assert len(Reader(index).headings) == 100
    results.write()
    assert len(Reader(index).headings) == 120
    assert [path.name for path in results.folder.iterdir()] == ["index.html"]


def test_very_long_pages_are_not_written_too_often(results, monkeypatch):
    counts = []
    write = ResultsPage.write
    monkeypatch.setattr(ResultsPage, "write", lambda page: (counts.append(len(page.rows)), write(page)))
    for i in range(5000):
        results.add(str(i), [])
    assert counts[:3] == [50, 100, 150] and len(counts) < 60


def test_a_folder_that_takes_no_file_is_one_line(tmp_path):
    (tmp_path / "maps").touch()
    page = ResultsPage(tmp_path / "maps/test_latest", "maps", "test", "latest")
    with pytest.raises(UserError, match="cannot"):
        save_images(page, {"real": tensor()}, "x.jpg")
    with pytest.raises(UserError, match="cannot"):
        page.write()


# --- training ---


def test_a_training_page_has_the_newest_epoch_first(tmp_path):
    training = TrainingPage(tmp_path / "web", "maps", 128)
    for epoch in (1, 2, 1000):
        training.save(epoch, {"real_A": picture(), "fake_B": picture(epoch % 256)})
        training.write()
    page = Reader(tmp_path / "web/index.html")
    assert page.title == "Experiment name = maps"
    assert page.headings == ["epoch [1000]", "epoch [2]", "epoch [1]"]
    assert page.rows[1] == [("real_A", "images/epoch002_real_A.png"), ("fake_B", "images/epoch002_fake_B.png")]
    assert page.rows[0][1][1] == "images/epoch1000_fake_B.png"
    assert page.refresh == ["1"]
    assert {image["width"] for image in page.images} == {"128"}
    assert all((tmp_path / "web" / link).is_file() for link in page.links)
    assert np.array(Image.open(tmp_path / "web/images/epoch002_fake_B.png"))[0, 0].tolist() == [2, 2, 2]


def test_the_last_page_stops_reloading_itself(tmp_path):
    training = TrainingPage(tmp_path, "maps")
    training.save(1, {"real": picture()})
    training.write('<figure class="losses"></figure>', "done", refresh=0)
    page = Reader(tmp_path / "index.html")
    assert not page.refresh and "figure" in page.tags and page.texts["p"] == ["done"]


def test_a_resumed_run_keeps_the_older_epochs(tmp_path):
    first = TrainingPage(tmp_path, "maps")
    for epoch in (1, 2, 3):
        first.save(epoch, {"real_B": picture(), "fake_A": picture(), "also": picture()})
    (tmp_path / "images/notes.txt").touch()
    second = TrainingPage(tmp_path, "maps", resumed=True)
    second.save(2, {"real_B": picture(), "fake_A": picture()})  # the third was of a run that was killed
    second.write()
    page = Reader(tmp_path / "index.html")
    assert page.headings == ["epoch [2]", "epoch [1]"]
    assert [label for label, _ in page.rows[1]] == ["real_B", "fake_A", "also"]
    assert page.images[-2]["height"] == "171"
    second.save(3, {"real_B": picture()})
    second.write()
    assert Reader(tmp_path / "index.html").headings == ["epoch [3]", "epoch [2]", "epoch [1]"]


def test_a_new_run_does_not_show_anothers_pictures(tmp_path):
    TrainingPage(tmp_path, "maps").save(1, {"real": picture()})
    second = TrainingPage(tmp_path, "maps")
    second.save(2, {"real": picture()})
    second.write()
    assert Reader(tmp_path / "index.html").headings == ["epoch [2]"]


def test_an_epoch_saved_again_replaces_its_pictures(tmp_path):
    training = TrainingPage(tmp_path, "maps")
    for value in (1, 2):
        training.save(1, {"real": picture(value)})
    training.write()
    assert Reader(tmp_path / "index.html").headings == ["epoch [1]"]
    assert np.array(Image.open(tmp_path / "images/epoch001_real.png"))[0, 0, 0] == 2
