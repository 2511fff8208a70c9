"""The demo and the walkthrough's figures, small."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import demo
import make_figures
from shared_scripts.cli import UserError


def test_demo_makes_a_sheet_of_three_pictures(tmp_path, capsys):
    demo.main(["--width", "64", "--iterations", "2", "--out-dir", str(tmp_path), "--style", "stained_glass"])
    with Image.open(tmp_path / "china_stained_glass.jpg") as result:
        assert result.size == (64, 42)  # china.jpg is 640 x 427
    with Image.open(tmp_path / "china_stained_glass_sheet.jpg") as sheet:
        assert sheet.width > 3 * 64
        assert np.asarray(sheet).std() > 20
    assert "china_stained_glass_sheet.jpg" in capsys.readouterr().out


def test_demo_takes_own_files(tmp_path):
    Image.new("RGB", (40, 30), (200, 40, 40)).save(tmp_path / "me.png")
    demo.main(
        [
            *("--photo", str(tmp_path / "me.png"), "--style", str(tmp_path / "me.png"), "--width", "40"),
            *("--iterations", "1", "--out-dir", str(tmp_path / "out")),
        ]
    )
    assert (tmp_path / "out" / "me_me_sheet.jpg").exists()


def test_demo_names_a_missing_photo(tmp_path):
    with pytest.raises(UserError, match="there is no file .*nobody.jpg"):
        demo.main(["--photo", "nobody.jpg", "--out-dir", str(tmp_path)])


def test_figures_are_strips_of_their_variants(tmp_path):
    words = ["--only", "pooling", "blend", "--width", "48", "--iterations", "1", "--out-dir", str(tmp_path)]
    assert make_figures.main(words) == 0
    with Image.open(tmp_path / "pooling.jpg") as two, Image.open(tmp_path / "blend.jpg") as three:
        assert two.width > 2 * 48
        assert three.width > 3 * 48
    assert all(path.stat().st_size <= 150_000 for path in tmp_path.glob("*.jpg"))
