"""Fits the default models in JAX, Equinox and Optax: 250 steps a compiled call, the fastest form on a CPU.

Arguments: `real_nvp` or `flow_matching`, the steps, and two NPY files of standardized points, to train on and
held out. Adam at 1e-3, batches of 256. Prints one JSON object; `cargo xtask bench train` reads it.
"""

import json
import resource
import sys
import time

import numpy as np
import optax
from flows import RealNvp, Velocity, eqx, jax, jnp, jr

BATCH = 256
STEPS_A_CALL = 250


def nll(flow, key, data):
    batch = data[jr.randint(key, (BATCH,), 0, len(data))]
    return -jnp.mean(jax.vmap(flow.log_prob)(batch))


def mean_square(velocity, key, data):
    rows, drawn = jr.split(key)
    return mean_square_of_all(velocity, drawn, data[jr.randint(rows, (BATCH,), 0, len(data))])


def mean_square_of_all(velocity, key, data):
    noise, time = jr.split(key)
    noise = jr.normal(noise, data.shape)
    t = jr.uniform(time, (len(data),))
    at = (1 - t[:, None]) * noise + t[:, None] * data
    return jnp.mean((jax.vmap(velocity)(at, t) - (data - noise)) ** 2)


def fit(model, loss, key, data, steps, look):
    optimizer = optax.adam(1e-3)
    weights, static = eqx.partition(model, eqx.is_inexact_array)
    state = optimizer.init(weights)

    @jax.jit
    def run(weights, state, key):
        def step(carry, _):
            weights, state, key = carry
            key, drawn = jr.split(key)
            model = eqx.combine(weights, static)
            gradient = eqx.filter_grad(loss)(model, drawn, data)
            update, state = optimizer.update(gradient, state)
            return (eqx.apply_updates(weights, update), state, key), None

        return jax.lax.scan(step, (weights, state, key), None, length=STEPS_A_CALL)[0]

    run = run.lower(weights, state, key).compile()
    seconds = 0.0
    for call in range(steps // STEPS_A_CALL):
        start = time.perf_counter()
        weights, state, key = jax.block_until_ready(run(weights, state, key))
        seconds += time.perf_counter() - start
        look(eqx.combine(weights, static), seconds)
    return seconds


model, steps, training, held_out = sys.argv[1:]
steps = int(steps)
training, held_out = (jnp.asarray(np.load(path)) for path in (training, held_out))
losses = []
if model == "real_nvp":
    flow, loss = RealNvp(jr.PRNGKey(0)), nll
    held_out_loss = eqx.filter_jit(lambda flow: -jnp.mean(jax.vmap(flow.log_prob)(held_out)))
else:
    flow, loss = Velocity(jr.PRNGKey(0)), mean_square
    held_out_loss = eqx.filter_jit(lambda flow: mean_square_of_all(flow, jr.PRNGKey(2), held_out))


def look(flow, seconds):
    losses.append((seconds, float(held_out_loss(flow))))


seconds = fit(flow, loss, jr.PRNGKey(1), training, steps, look)
print(
    json.dumps(
        {
            "version": jax.__version__,
            "steps_a_second": steps / seconds,
            "losses": losses,
            "peak_memory": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
    )
)
