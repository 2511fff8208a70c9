"""One step of training: the discriminator's, the generator's, and the generator that is averaged over all steps.

What is drawn at random, latents, labels and the places between real and made pictures, is given from outside: a step
is a function of its arguments.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from losses import drift_penalty, generator_loss, label_penalty, mix, slope_norms, slope_penalty
from networks import Discriminator, Generator
from shared_scripts.distributed import bare, spread
from shared_scripts.gradients import frozen


@dataclass(frozen=True)
class LossSettings:
    """The losses' weights, by their names in config.py."""

    wgan_lambda: float = 10.0
    wgan_epsilon: float = 0.001
    wgan_target: float = 1.0
    cond_weight: float = 1.0  # D_loss's
    G_cond_weight: float = 1.0


@dataclass
class Batch:
    """Real pictures (N, C, R, R) as `process_reals` gives them, their labels (N, L) or None, latents (N, latent_size)
    for as many made ones, and u (N, 1, 1, 1) in [0, 1], the places between them for the penalty."""

    reals: Tensor
    labels: Tensor | None
    latents: Tensor
    u: Tensor


class Trainer:
    """Both networks, the averaged generator Gs, and the optimisers; `dtype` is the convolutions' number format.

    `keep_moments` is the reference's reset_opt_for_new_lod=False: one count of steps for all weights, also for those
    that are not yet in use.
    """

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        Gs: Generator | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        losses: LossSettings | None = None,
        G_adam: dict | None = None,
        D_adam: dict | None = None,
        G_smoothing: float = 0.999,
        keep_moments: bool = False,
    ):
        self.device, self.dtype, self.losses = torch.device(device), dtype, losses or LossSettings()
        self.smoothing, self.keep_moments = G_smoothing, keep_moments
        self.G, self.D = G.to(self.device), D.to(self.device)
        self.Gs = (Gs or copy.deepcopy(G)).to(self.device).requires_grad_(False)
        self.adam = {"G": G_adam or {}, "D": D_adam or {}}
        self.skipped = {"G": 0, "D": 0}  # updates with gradients that were no numbers
        self.made = {"G": 0, "D": 0}
        self.reset_optimizers()

    # --- around the steps -----------------------------------------------------------------------------------------

    def parallelize(self) -> None:
        """Spread over the processes that torchrun started, if it did."""
        self.G = spread(self.G, self.device, [], find_unused=True)
        self.D = spread(self.D, self.device, [], find_unused=True)

    def networks(self) -> dict[str, nn.Module]:
        """The networks by name, as they are saved."""
        return {"G": bare(self.G), "D": bare(self.D), "Gs": self.Gs}

    def reset_optimizers(self) -> None:
        """Adam from the beginning: done whenever layers come in or are faded in whole."""
        self.optimizers = {
            name: torch.optim.Adam(
                network.parameters(), fused=self.device.type in ("cpu", "cuda"), **self.settings(name)
            )
            for name, network in (("G", bare(self.G)), ("D", bare(self.D)))
        }
        self.steps = {"G": 0, "D": 0}  # since then

    def settings(self, name: str) -> dict:
        """Adam's arguments. Nothing is smoothed by momentum: the slopes of the last step alone count."""
        given = {"beta1": 0.0, "beta2": 0.99, "epsilon": 1e-8} | self.adam[name]
        betas = float(given["beta1"]), float(given["beta2"])  # torch takes no whole number, such as 0, beside another
        return {"lr": 0.001, "betas": betas, "eps": given["epsilon"]}

    def set_rates(self, G_lrate: float, D_lrate: float) -> None:
        """The learning rates from now on."""
        for name, rate in (("G", G_lrate), ("D", D_lrate)):
            for group in self.optimizers[name].param_groups:
                group["lr"] = rate

    def set_lod(self, lod: float) -> None:
        """Note in the networks how far they have grown; it is saved with them."""
        for network in self.networks().values():
            network.lod.fill_(lod)

    def autocast(self) -> torch.autocast:
        """Convolutions inside run in `dtype`; with float32 nothing changes."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)

    # --- the steps ------------------------------------------------------------------------------------------------

    def step_D(self, batch: Batch, lod: float) -> dict[str, Tensor]:
        """Update the discriminator; returns one value a picture, (N,), of each term, and the loss "D"."""
        self.zero_grad("D")
        with torch.no_grad(), self.autocast():
            fakes = bare(self.G)(batch.latents, batch.labels, lod).float()
        found = self.judge(batch, fakes, lod)
        loss = self.total_D(found)
        loss.backward()
        self.apply("D")
        return {name: value.detach() for name, value in found.items()} | {"D": loss.detach()}

    def judge(self, batch: Batch, fakes: Tensor, lod: float) -> dict[str, Tensor]:
        """The terms of the discriminator's loss, one value a picture."""
        n, cond = len(fakes), batch.labels is not None and batch.labels.shape[1] > 0
        with self.autocast():
            # In one pass: with small pictures the processor is never full. The minibatches' variations stay apart.
            scores, logits = self.D(torch.cat([batch.reals, fakes]), lod, batches=2)
            critic = bare(self.D)
            mixed, norms = slope_norms(lambda x: critic(x, lod)[0], mix(batch.reals, fakes, batch.u), int(lod))
        scores = scores.float().flatten()
        found = {"real_scores": scores[:n], "fake_scores": scores[n:]}
        found |= {"mixed_scores": mixed.float().flatten(), "mixed_norms": norms}
        found["epsilon_penalty"] = drift_penalty(found["real_scores"], 1.0)
        if cond:
            found["label_penalty_reals"] = label_penalty(logits[:n], batch.labels)
            found["label_penalty_fakes"] = label_penalty(logits[n:], batch.labels)
        return found

    def total_D(self, found: dict[str, Tensor]) -> Tensor:
        """The discriminator's loss from its terms."""
        weights = self.losses
        loss = (found["fake_scores"] - found["real_scores"]).mean()
        loss = loss + slope_penalty(found["mixed_norms"], weights.wgan_lambda, weights.wgan_target).mean()
        loss = loss + weights.wgan_epsilon * found["epsilon_penalty"].mean()
        labels = [value for name, value in found.items() if name.startswith("label_penalty")]
        return loss + weights.cond_weight * sum(value.mean() for value in labels)

    def step_G(self, latents: Tensor, labels: Tensor | None, lod: float) -> Tensor:
        """Update the generator; returns its loss, one value a picture, (N,)."""
        self.zero_grad("G")
        with frozen(bare(self.D)):
            with self.autocast():
                scores, logits = bare(self.D)(self.G(latents, labels, lod), lod)
            loss = generator_loss(scores, logits, labels, self.losses.G_cond_weight)
            loss.mean().backward()
        self.apply("G")
        return loss.detach()

    def zero_grad(self, name: str) -> None:
        """Forget the last gradients; with `keep_moments` all weights have some, if only noughts."""
        self.optimizers[name].zero_grad(set_to_none=not self.keep_moments)
        if self.keep_moments:
            for parameter in bare(getattr(self, name)).parameters():
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)

    def apply(self, name: str) -> None:
        """Make the optimiser's step, unless a gradient is no number: then this one is left out."""
        gradients = [p.grad for p in bare(getattr(self, name)).parameters() if p.grad is not None]
        self.made[name] += 1
        if bool(torch.isfinite(nn.utils.get_total_norm(gradients))):
            self.steps[name] += 1
            self.place_epsilon(name)
            self.optimizers[name].step()
        else:
            self.skipped[name] += 1

    def place_epsilon(self, name: str) -> None:
        """Put Adam's epsilon where TensorFlow has it: beside the square root before its bias is corrected.

        In the first steps that is ten times more, and it counts: after a reset, gradients that are nothing but rounding
        would otherwise be blown up to whole steps.
        """
        for group in self.optimizers[name].param_groups:
            group["eps"] = self.settings(name)["eps"] / math.sqrt(1 - group["betas"][1] ** self.steps[name])

    @torch.no_grad()
    def average(self) -> None:
        """Move Gs towards G. The reference does this along with the discriminator's step, before the generator's: Gs
        never sees the last one."""
        averaged, current = list(self.Gs.parameters()), list(bare(self.G).parameters())
        torch._foreach_lerp_(averaged, current, 1 - self.smoothing)
