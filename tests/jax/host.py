"""The default models in JAX and Equinox: how fast a data scientist's own set-up evaluates them.

A RealNVP of 8 couplings with one net 1-64-64-2 each, tanh, and a velocity field 3-64-64-64-2, elu, in
100 Euler steps; compiled, on the CPU, with as many threads as JAX takes. Weights are random: the work
does not depend on them. Prints one JSON object; `cargo xtask bench host` reads it.
"""

import json
import os
import statistics
import time

os.environ["JAX_PLATFORMS"] = "cpu"

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr

BATCH = 10_000
STEP_COUNT = 100
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


@eqx.filter_jit
def inverse(flow, z):
    return jax.vmap(flow.inverse)(z)


@eqx.filter_jit
def log_prob(flow, x):
    return jax.vmap(flow.log_prob)(x)


@eqx.filter_jit
def euler(velocity, x):
    def step(k, x):
        return x + jax.vmap(velocity, (0, None))(x, k / STEP_COUNT) / STEP_COUNT

    return jax.lax.fori_loop(0, STEP_COUNT, step, x)


def seconds(function, model, x, repetitions):
    """The median time of a call, after calls that compile and warm up."""
    times = []
    for _ in range(repetitions + 2):
        start = time.perf_counter()
        function(model, x).block_until_ready()
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


noise = jr.normal(jr.PRNGKey(777), (BATCH, 2))
real_nvp, velocity = RealNvp(jr.PRNGKey(0)), Velocity(jr.PRNGKey(0))
print(
    json.dumps(
        {
            "version": jax.__version__,
            "real_nvp": {
                "samples": BATCH / seconds(inverse, real_nvp, noise, 15),
                "log_probs": BATCH / seconds(log_prob, real_nvp, noise, 15),
                "single": seconds(inverse, real_nvp, noise[:1], 500),
            },
            "flow_matching": {
                "samples": BATCH / seconds(euler, velocity, noise, 5),
                "single": seconds(euler, velocity, noise[:1], 100),
            },
        }
    )
)
