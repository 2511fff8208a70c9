"""FID and the Inception score, and the network they look through."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from metrics import create, inception
from metrics import frechet_inception_distance as fid
from metrics.frechet_inception_distance import FID, frechet_distance, statistics
from metrics.inception import Inception, find_weights
from metrics.inception_score import InceptionScore, inception_score
from shared_scripts.cli import UserError
from shared_scripts.testing import write_pictures

# --- the formulas -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1])
def test_they_are_the_recorded_ones(golden, number):
    recorded = golden("metric_fid_is_math")
    sets = [statistics(recorded[f"act_{name}{number}"]) for name in "ab"]
    assert frechet_distance(*sets) == pytest.approx(float(recorded[f"fid{number}"]), rel=1e-6)
    expected = [float(recorded[f"is_{name}{number}"]) for name in ("mean", "std")]
    assert inception_score(recorded[f"probs{number}"]) == pytest.approx(expected, rel=1e-6)


def test_the_distance_of_two_normal_distributions_in_closed_form():
    a = (np.zeros(3), np.diag([1.0, 4.0, 9.0]))
    b = (np.array([1.0, 2.0, 2.0]), np.diag([4.0, 4.0, 1.0]))
    assert frechet_distance(a, b) == pytest.approx(9 + 1 + 0 + 4)  # differences of the standard deviations, squared
    turned = np.linalg.qr(np.random.RandomState(0).randn(3, 3))[0]
    a, b = ((turned @ mean, turned @ cov @ turned.T) for mean, cov in (a, b))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a)) == pytest.approx(14)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_the_score_of_what_is_known():
    sure = np.eye(10).repeat(1, axis=0)[np.arange(1000) % 10] * (1 - 1e-9) + 1e-10
    assert inception_score(sure) == pytest.approx((10, 0), abs=1e-4)
    assert inception_score(np.full((100, 10), 0.1)) == pytest.approx((1, 0), abs=1e-9)
    assert np.isnan(inception_score(np.full((9, 10), 0.1))).all()


# --- the metrics, with another network ----------------------------------------------------------------------------


class Means:
    """A network whose features are the channels' means, for tests."""

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features = images.astype(float).mean(axis=(2, 3))
        return features, np.exp(features / 50) / np.exp(features / 50).sum(axis=1, keepdims=True)


def test_the_metrics_put_minibatches_together():
    rng = np.random.RandomState(0)
    reals, fakes = (rng.randint(0, high, (40, 3, 8, 8)).astype(np.uint8) for high in (256, 200))
    made = create(["fid", "metrics.inception_score.API"], 8, rng, "cpu", Means)
    assert [type(metric) for metric in made] == [FID, InceptionScore]
    assert [metric.names() for metric in made] == [["FID"], ["IS_mean", "IS_std"]]
    found = []
    for mode, images in (("reals", reals), ("fakes", fakes)):
        for metric in made:
            metric.begin(mode)
            for begin in range(0, 40, 7):
                metric.feed(mode, images[begin : begin + 7])
            found += metric.end(mode)
    expected = frechet_distance(*(statistics(images.mean(axis=(2, 3))) for images in (reals, fakes)))
    assert found[0] == 0 and found[3] == pytest.approx(expected) and expected > 100
    assert tuple(found[4:]) == pytest.approx(inception_score(Means()(fakes)[1]))


def test_an_unknown_metric_is_told_and_no_network_made_for_the_others():
    with pytest.raises(UserError, match="'kid'.*swd, fid, is, msssim"):
        create(["swd", "kid"], 16, np.random.RandomState(0), "cpu", None)
    assert len(create(["swd", "msssim"], 16, np.random.RandomState(0), "cpu", None)) == 2


# --- the network --------------------------------------------------------------------------------------------------


# Not importorskip: torch-fidelity cannot be imported by itself beside a torch without CUDA
needs_fidelity = pytest.mark.skipif(find_spec("torch_fidelity") is None, reason="torch-fidelity is not installed")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file as the Inception network's, of random numbers."""
    import shared_scripts.vision  # noqa: F401, I001  (first: torch-fidelity imports torchvision)
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3 as Network

    path = tmp_path_factory.mktemp("weights") / inception.NAME
    torch.save({}, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Network, "load_state_dict", lambda network, state: None)
        torch.manual_seed(0)
        network = Network("x", ["2048"], feature_extractor_weights_path=str(path))
    torch.save(network.state_dict(), path)
    return path


@needs_fidelity
def test_the_network_gives_features_and_probabilities(weights, monkeypatch):
    network = Inception(weights.parent)
    images = np.random.RandomState(0).randint(0, 256, (3, 3, 16, 16)).astype(np.uint8)
    monkeypatch.setattr(inception, "AT_ONCE", 2)
    features, probabilities = network(images)
    assert features.shape == (3, 2048) and probabilities.shape == (3, 1008)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    logits = torch.from_numpy(features) @ network.network.fc.weight.T  # without the bias
    np.testing.assert_allclose(probabilities, logits.softmax(dim=1), rtol=1e-4)
    assert network(images)[0] is features and network(images[:2])[0] is not features


class Bad:
    def __reduce__(self):
        return print, ("executed",)


@needs_fidelity
def test_weights_that_would_run_code_or_are_others_are_refused(tmp_path, capsys):
    for content in (Bad(), {"fc.weight": torch.zeros(3)}):
        torch.save(content, tmp_path / "w.pth")
        with pytest.raises(UserError, match="w.pth is damaged or not the Inception network's.*https://"):
            Inception(tmp_path / "w.pth")
    assert "executed" not in capsys.readouterr().out


def test_missing_weights_are_told_with_where_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setattr(inception, "PRETRAINED", tmp_path / "pretrained")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(UserError, match="download https://.*pth and put it into .*pretrained"):
        find_weights()
    for given in (tmp_path, tmp_path / "x.pth"):
        with pytest.raises(UserError, match="no file .*https://"):
            find_weights(given)
    (tmp_path / "classify_image_graph_def.pb").touch()
    with pytest.raises(UserError, match=f"needed as {inception.NAME}"):
        find_weights(tmp_path / "classify_image_graph_def.pb")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / inception.NAME).touch()
    assert find_weights() == tmp_path / "checkpoints" / inception.NAME


def test_a_missing_package_is_told(tmp_path, monkeypatch):
    (tmp_path / "w.pth").touch()
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    monkeypatch.delitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", raising=False)
    with pytest.raises(UserError, match="pip install torch-fidelity"):
        Inception(tmp_path / "w.pth")


# --- the script ---------------------------------------------------------------------------------------------------


def save(path, mean, cov):
    np.savez(path, mu=np.array(mean, float), sigma=np.array(cov, float))
    return str(path)


def test_two_files_are_compared(tmp_path, capsys):
    a = save(tmp_path / "a.npz", [0, 0], [[1, 0], [0, 4]])
    b = save(tmp_path / "b.npz", [3, 4], [[4, 0], [0, 4]])
    assert fid.main([a, b]) == 0
    label, value = capsys.readouterr().out.split()
    assert label == "FID:" and float(value) == pytest.approx(26)


def test_a_folder_is_compared_with_what_was_saved_of_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fid, "Inception", lambda weights, device: Means())
    folder = write_pictures(tmp_path / "a", 7, (8, 8))
    fid.main([str(folder), str(write_pictures(tmp_path / "b", 7, (8, 8), 1)), "--save", str(tmp_path / "s.npz")])
    assert float(capsys.readouterr().out.split()[1]) > 0
    fid.main([str(tmp_path / "s.npz"), str(folder)])
    assert float(capsys.readouterr().out.split()[1]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda p: save(p, [0, 0, 0], np.eye(3)), "2 features.* 3"),
        (lambda p: save(p, [0, 0], np.eye(3)), "no mean and covariance"),
        (lambda p: p.write_bytes(b"nonsense"), "damaged"),
        (lambda p: np.savez(p, x=np.zeros(3)), "no mu and sigma"),
        (lambda p: None, "no file or folder"),
    ],
)
def test_what_cannot_be_compared_is_told(tmp_path, make, words):
    a = save(tmp_path / "a.npz", [0, 0], np.eye(2))
    make(tmp_path / "b.npz")
    with pytest.raises(UserError, match=words):
        fid.main([a, str(tmp_path / "b.npz")])
