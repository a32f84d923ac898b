"""The default models in JAX and Equinox, as a data scientist would write them.

A RealNVP of 8 couplings with one net 1-64-64-2 each, tanh, and a velocity field 3-64-64-64-2, elu; on the
CPU, with as many threads as JAX takes.
"""

import os

os.environ["JAX_PLATFORMS"] = "cpu"

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr

SCALE_CLIP = 2.0


class Coupling(eqx.Module):
    net: eqx.nn.MLP
    flip: bool = eqx.field(static=True)

    def __init__(self, flip, key):
        self.net = eqx.nn.MLP(1, 2, 64, 2, jnp.tanh, key=key)
        self.flip = flip

    def _split(self, x):
        return (x[1:], x[:1]) if self.flip else (x[:1], x[1:])

    def _join(self, kept, moved):
        return jnp.concatenate([moved, kept] if self.flip else [kept, moved])

    def _scale_and_shift(self, kept):
        output = self.net(kept)
        return jnp.clip(output[:1], -SCALE_CLIP, SCALE_CLIP), output[1:]

    def forward(self, x):
        kept, moved = self._split(x)
        s, t = self._scale_and_shift(kept)
        return self._join(kept, moved * jnp.exp(s) + t), jnp.sum(s)

    def inverse(self, z):
        kept, moved = self._split(z)
        s, t = self._scale_and_shift(kept)
        return self._join(kept, (moved - t) * jnp.exp(-s))


class RealNvp(eqx.Module):
    layers: list

    def __init__(self, key):
        self.layers = [Coupling(i % 2 == 1, k) for i, k in enumerate(jr.split(key, 8))]

    def inverse(self, z):
        for layer in reversed(self.layers):
            z = layer.inverse(z)
        return z

    def log_prob(self, x):
        log_det = 0.0
        for layer in self.layers:
            x, s = layer.forward(x)
            log_det = log_det + s
        return -0.5 * jnp.sum(x**2) - jnp.log(2 * jnp.pi) + log_det


class Velocity(eqx.Module):
    net: eqx.nn.MLP

    def __init__(self, key):
        self.net = eqx.nn.MLP(3, 2, 64, 3, jax.nn.elu, key=key)

    def __call__(self, x, t):
        return self.net(jnp.concatenate([x, t[None]]))
