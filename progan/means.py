"""Means of what single steps give, until somebody asks."""

from __future__ import annotations

from torch import Tensor

from shared_scripts.distributed import Processes


class Means:
    """Sums of the losses' terms since the last tick, kept where they were computed."""

    def __init__(self):
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, terms: dict[str, Tensor]) -> None:
        """One step's terms, one value a picture or the loss itself."""
        for name, values in terms.items():
            total = values.sum() if values.device.type == "mps" else values.double().sum()  # mps has no doubles
            self.sums[name] = self.sums[name] + total if name in self.sums else total
            self.counts[name] = self.counts.get(name, 0) + values.numel()

    def take(self, processes: Processes) -> dict[str, float]:
        """The means over all processes; from now on they are of what comes."""
        names = sorted(self.sums)
        means = processes.mean([float(self.sums[name]) / self.counts[name] for name in names])
        self.sums, self.counts = {}, {}
        return dict(zip(names, means, strict=True))

    def state_dict(self) -> dict:
        """The sums so far, to be saved."""
        return {"sums": {name: value.cpu() for name, value in self.sums.items()}, "counts": dict(self.counts)}

    def load_state_dict(self, state: dict) -> None:
        """Go on from them."""
        self.sums, self.counts = dict(state["sums"]), dict(state["counts"])
