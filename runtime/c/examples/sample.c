/* Draws samples of a model and tells the bits of each number: the same on a board and on a computer.
 *
 * The program is linked with the model file, between model_start and model_end.
 */
#include <stdio.h>

#include "flowlet.h"

extern const uint8_t model_start[], model_end[];

enum { DIM = 2, SCRATCH_LEN = 256, SAMPLES = 5, SEED = 7 };

/* xoshiro128++ by Blackman and Vigna; a board takes its hardware's random source instead. */
typedef struct {
    uint32_t s[4];
} generator;

static uint32_t rotate(uint32_t x, int k) { return (x << k) | (x >> (32 - k)); }

static uint32_t next(void *state) {
    uint32_t *s = ((generator *)state)->s;
    uint32_t result = rotate(s[0] + s[3], 7) + s[0];
    uint32_t t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11);
    return result;
}

/* SplitMix64 by Vigna, which flowlet on a computer seeds the generator with. */
static generator seeded(uint64_t seed) {
    generator g;
    for (int i = 0; i < 4; i += 2) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        z ^= z >> 31;
        g.s[i] = (uint32_t)z;
        g.s[i + 1] = (uint32_t)(z >> 32);
    }
    return g;
}

static void tell(float number) {
    union {
        float number;
        uint32_t bits;
    } both = {number};
    printf(" %08lx", (unsigned long)both.bits);
}

static int fail(flowlet_error error) {
    printf("error: %s\n", flowlet_error_name(error));
    return 1;
}

int main(void) {
    static flowlet_model model;
    static uint32_t scratch[SCRATCH_LEN];
    flowlet_error error = flowlet_init(&model, model_start, (size_t)(model_end - model_start));
    if (error != FLOWLET_OK) {
        return fail(error);
    }
    generator random = seeded(SEED);
    for (int i = 0; i < SAMPLES; i++) {
        float x[DIM], log_prob;
        error = flowlet_sample(&model, next, &random, x, DIM, NULL, 0, scratch, SCRATCH_LEN, 0);
        if (error == FLOWLET_OK) {
            error = flowlet_log_prob(&model, x, DIM, NULL, 0, scratch, SCRATCH_LEN, &log_prob);
        }
        if (error != FLOWLET_OK) {
            return fail(error);
        }
        printf("sample");
        tell(x[0]);
        tell(x[1]);
        tell(log_prob);
        printf("\n");
    }
    return 0;
}
