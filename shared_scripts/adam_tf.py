"""Adam as TensorFlow 1 had it, with its variables by their old names, so that checkpoints look as they did then."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

BETA2 = 0.999


class Adam:
    """Kingma & Ba's Adam with epsilon outside the bias correction, by TensorFlow's own fused operation.

    `suffix` tells the powers of a second optimiser in one checkpoint from the first one's, as TensorFlow 1 did:
    beta1_power_1. Under tf.distribute every replica calls `apply` with the same summed gradients, so all copies stay
    equal.
    """

    def __init__(self, weights: dict[str, tf.Variable], beta1: float = 0.9, epsilon: float = 1e-8, suffix: str = ""):
        self.weights, self.beta1, self.epsilon = weights, beta1, epsilon
        self.moments = {
            f"{name}/{slot}": make_variable(np.zeros(weight.shape, np.float32))
            for name, weight in weights.items()
            for slot in ("Adam", "Adam_1")
        }
        self.powers = {
            f"beta1_power{suffix}": make_variable(np.float32(beta1)),
            f"beta2_power{suffix}": make_variable(np.float32(BETA2)),
        }

    def apply(self, gradients: dict[str, tf.Tensor], learning_rate: tf.Tensor) -> None:
        """One step, within a tf.function."""
        power1, power2 = (power.read_value() for power in self.powers.values())
        for name, gradient in gradients.items():
            tf.raw_ops.ResourceApplyAdam(
                var=self.weights[name].handle,
                m=self.moments[f"{name}/Adam"].handle,
                v=self.moments[f"{name}/Adam_1"].handle,
                beta1_power=power1,
                beta2_power=power2,
                lr=learning_rate,
                beta1=self.beta1,
                beta2=BETA2,
                epsilon=self.epsilon,
                grad=gradient,
            )
        for power, beta in zip(self.powers.values(), (self.beta1, BETA2), strict=True):
            power.assign(power * beta)

    def variables(self) -> dict[str, tf.Variable]:
        """Its state by TensorFlow 1's names."""
        return {**self.moments, **self.powers}


def make_variable(value: np.ndarray) -> tf.Variable:
    """A variable of which every replica may change its own copy."""
    return tf.Variable(value, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)
