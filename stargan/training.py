"""One step of StarGAN's training: the discriminator's update, and every few steps the generator's.

What is drawn at random, the permutation of the labels and the places between real and translated pictures, is given
from outside: a step is a function of its arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from labels import Domain
from losses import between, critic_loss, gradient_penalty, reconstruction_loss
from muon import Muon
from shared_scripts.distributed import bare, spread
from shared_scripts.gradients import frozen

VECTORS = 0.05  # with Muon: the share of the learning rate that the norms' weights and biases get, which go by Adam
LOSSES = ("D/loss_real", "D/loss_fake", "D/loss_cls", "D/loss_gp", "G/loss_fake", "G/loss_rec", "G/loss_cls")


@dataclass
class Batch:
    """Pictures x (N, 3, H, W) in [-1, 1] of a data set, their labels as it has them, the labels they are to get, as
    vectors as well, and `alpha` (N, 1, 1, 1) in [0, 1], the real picture's share for the gradient penalty."""

    domain: Domain
    x: Tensor
    labels: Tensor
    target_labels: Tensor
    alpha: Tensor

    def c_org(self) -> Tensor:
        """The labels as the generator takes them."""
        return self.domain.for_generator(self.domain.vectors(self.labels))

    def c_trg(self) -> Tensor:
        """The labels asked for, as the generator takes them."""
        return self.domain.for_generator(self.domain.vectors(self.target_labels))


class Trainer:
    """Both networks, their optimisers, and how they are trained; `dtype` is the convolutions' number format.

    `two_steps` is the 2017 version's way: the gradient penalty gets an optimiser step of its own. With `muon` the
    generator's kernels go by that optimiser; its learning rates are some hundred times Adam's.
    """

    def __init__(
        self,
        G: nn.Module,
        D: nn.Module,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        g_lr: float = 1e-4,
        d_lr: float = 1e-4,
        betas: tuple[float, float] = (0.5, 0.999),
        lambda_cls: float = 1.0,
        lambda_rec: float = 10.0,
        lambda_gp: float = 10.0,
        two_steps: bool = False,
        muon: bool = False,
        lambda_id: float = 0.0,
    ):
        self.device, self.dtype, self.two_steps = torch.device(device), dtype, two_steps
        self.lambda_cls, self.lambda_rec, self.lambda_gp = lambda_cls, lambda_rec, lambda_gp
        self.lambda_id = lambda_id
        self.out_cls: Tensor | None = None  # D's logits of the last real pictures
        self.G, self.D = G.to(self.device), D.to(self.device)
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        if muon:
            self.optimizers["G"] = Muon([p for p in G.parameters() if p.dim() > 1], g_lr)
        vectors = [p for p in G.parameters() if not muon or p.dim() <= 1]
        fused = self.device.type in ("cpu", "cuda")  # one pass over the memory instead of a dozen
        self.optimizers["G_vectors" if muon else "G"] = torch.optim.Adam(vectors, g_lr, betas, fused=fused)
        self.optimizers["D"] = torch.optim.Adam(D.parameters(), d_lr, betas, fused=fused)
        self.set_rates(g_lr, d_lr)

    def parallelize(self) -> None:
        """Spread over the processes that torchrun started, if it did."""
        self.G, self.D = spread(self.G, self.device, []), spread(self.D, self.device, [])

    def networks(self) -> dict[str, nn.Module]:
        """The networks by name, as they are saved."""
        return {"G": bare(self.G), "D": bare(self.D)}

    def set_rates(self, g_lr: float, d_lr: float) -> None:
        """The learning rates from now on."""
        rates = {"G": g_lr, "G_vectors": g_lr * VECTORS, "D": d_lr}
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = rates[name]

    def autocast(self) -> torch.autocast:
        """Convolutions inside run in `dtype`; with float32 nothing changes."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)

    # --- a step ---------------------------------------------------------------------------------------------------

    def step(self, batches: Sequence[Batch], update_G: bool, penalized: int = 0) -> list[dict[str, Tensor]]:
        """One step; returns the losses of each batch by their names in the log.

        The current version trains on two data sets by a step for each. With several batches this is the 2017 version's
        step: on the sum of their losses, with the gradient penalty of the one with number `penalized`.
        """
        # The discriminator's step leaves G as it is, so one pass serves both updates, as long as it keeps its graph.
        fakes = [self.translate(batch.x, batch.c_trg(), keep_graph=update_G) for batch in batches]
        losses = self.step_D(batches, [fake.detach() for fake in fakes], penalized)
        if update_G:
            for found, more in zip(losses, self.step_G(batches, fakes), strict=True):
                found.update(more)
        return losses

    def translate(self, x: Tensor, c: Tensor, keep_graph: bool) -> Tensor:
        """G(x, c)."""
        with torch.set_grad_enabled(keep_graph), self.autocast():
            return (self.G if keep_graph else bare(self.G))(x, c)

    def step_D(self, batches: Sequence[Batch], fakes: Sequence[Tensor], penalized: int) -> list[dict[str, Tensor]]:
        """Update the discriminator: to tell real from translated, and to classify the real ones."""
        optimizer = self.optimizers["D"]
        optimizer.zero_grad(set_to_none=not self.two_steps)
        found = [self.verdicts(batch, fake) for batch, fake in zip(batches, fakes, strict=True)]
        total = sum(f["D/loss_real"] + f["D/loss_fake"] + self.lambda_cls * f["D/loss_cls"] for f in found)
        if self.two_steps:
            total.backward()
            optimizer.step()
            # Zeros, not None: Adam then moves what this loss does not reach, too, by its momentum, as it did in 2017.
            optimizer.zero_grad(set_to_none=False)
            total = 0.0
        penalty = self.penalty(batches[penalized], fakes[penalized])
        found[penalized]["D/loss_gp"] = penalty
        (total + self.lambda_gp * penalty).backward()
        optimizer.step()
        return [{name: value.detach() for name, value in losses.items()} for losses in found]

    def verdicts(self, batch: Batch, fake: Tensor) -> dict[str, Tensor]:
        """What D makes of a batch. It sees real and translated pictures together: without batch normalisation that is
        the same as one after the other, and faster."""
        n = len(batch.x)
        with self.autocast():
            out_src, out_cls = self.D(torch.cat([batch.x, fake.to(batch.x.dtype)]))
        self.out_cls = out_cls[:n].detach()
        return {
            "D/loss_real": critic_loss(out_src[:n], real=True),
            "D/loss_fake": critic_loss(out_src[n:], real=False),
            "D/loss_cls": batch.domain.loss(out_cls[:n], batch.labels),
        }

    def penalty(self, batch: Batch, fake: Tensor) -> Tensor:
        """The gradient penalty, in float32 whatever `dtype`."""
        D = bare(self.D)
        x_hat = between(batch.x, fake.to(batch.x.dtype), batch.alpha)
        if not self.two_steps or D is self.D:
            return gradient_penalty(D.realness, x_hat)
        # In several processes: torch's wrapper must see a pass for every backward one whose gradients it is to average,
        # and one that reaches all weights.
        seen = []
        penalty = gradient_penalty(lambda x: seen.append(self.D(x)) or seen[0][0], x_hat)
        return penalty + 0 * seen[0][1].sum()

    def step_G(self, batches: Sequence[Batch], fakes: Sequence[Tensor]) -> list[dict[str, Tensor]]:
        """Update the generator: translations that look real, are classified as asked, and lead back to the picture."""
        self.G.zero_grad()
        with frozen(bare(self.D)):
            found = [self.judge_G(batch, fake) for batch, fake in zip(batches, fakes, strict=True)]
            total = sum(
                f["G/loss_fake"] + self.lambda_rec * f["G/loss_rec"] + self.lambda_cls * f["G/loss_cls"] for f in found
            )
            if self.lambda_id:
                total = total + self.lambda_id * sum(self.copy_loss(batch) for batch in batches)
            total.backward()
        self.update_G()
        return [{name: value.detach() for name, value in losses.items()} for losses in found]

    def update_G(self) -> None:
        """The generator's optimisers make their steps."""
        for name, optimizer in self.optimizers.items():
            if name != "D":
                optimizer.step()

    def copy_step(self, batch: Batch) -> dict[str, Tensor]:
        """A step before training proper (--warmup_iters): the generator learns to leave a picture with its own labels
        as it is."""
        self.G.zero_grad()
        loss = self.copy_loss(batch)
        loss.backward()
        self.update_G()
        return {"G/loss_rec": loss.detach()}

    def copy_loss(self, batch: Batch) -> Tensor:
        """How far pictures translated to their own labels are from what they were; not in the paper (--lambda_id)."""
        return reconstruction_loss(batch.x, self.translate(batch.x, batch.c_org(), keep_graph=True))

    def judge_G(self, batch: Batch, fake: Tensor) -> dict[str, Tensor]:
        """The generator's losses of a batch."""
        with self.autocast():
            out_src, out_cls = bare(self.D)(fake)
            x_rec = self.G(fake.to(batch.x.dtype), batch.c_org())
        return {
            "G/loss_fake": critic_loss(out_src, real=True),
            "G/loss_rec": reconstruction_loss(batch.x, x_rec),
            "G/loss_cls": batch.domain.loss(out_cls, batch.target_labels),
        }
