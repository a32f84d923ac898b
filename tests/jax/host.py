"""How fast the default models are evaluated in JAX and Equinox.

Compiled; flow matching in 100 Euler steps. Weights are random: the work does not depend on them. Prints one
JSON object; `cargo xtask bench host` reads it.
"""

import json
import statistics
import time

from flows import RealNvp, Velocity, eqx, jax, jr

BATCH = 10_000
STEP_COUNT = 100


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
