"""Adam, as TensorFlow 1 had it, with its variables by their old names: the state of a training is 146 named tensors."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Kingma & Ba's Adam with epsilon outside the bias correction, by TensorFlow's own fused operation.

    Under tf.distribute every replica calls `apply` with the same summed gradients, so all copies stay equal.
    """

    def __init__(self, weights: dict[str, tf.Variable]):
        self.weights = weights
        self.moments = {
            f"{name}/{slot}": make_variable(np.zeros(weight.shape, np.float32))
            for name, weight in weights.items()
            for slot in ("Adam", "Adam_1")
        }
        self.powers = {
            "beta1_power": make_variable(np.float32(BETA1)),
            "beta2_power": make_variable(np.float32(BETA2)),
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
                beta1=BETA1,
                beta2=BETA2,
                epsilon=EPSILON,
                grad=gradient,
            )
        for power, beta in zip(self.powers.values(), (BETA1, BETA2), strict=True):
            power.assign(power * beta)

    def variables(self) -> dict[str, tf.Variable]:
        """Its state by TensorFlow 1's names."""
        return {**self.moments, **self.powers}


def make_variable(value: np.ndarray) -> tf.Variable:
    """A variable of which every replica may change its own copy."""
    return tf.Variable(value, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)


def steps_done(beta2_power: float) -> int:
    """How many steps led to a power of beta 2, which begins at its first: 0.999^(t + 1) -> t.

    Exact up to some 80,000 steps; behind that float32 has no numbers small enough.
    """
    return max(0, round(math.log(beta2_power) / math.log(np.float32(BETA2))) - 1) if beta2_power > 0 else 0
