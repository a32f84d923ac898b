/* Makes every mistake that the library tells by an error, with memory of exactly the size it should have, so that a
 * sanitizer sees whatever is used beyond.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flowlet.h"

extern const uint8_t model_start[], model_end[];

static int failures;

static void expect(flowlet_error expected, flowlet_error found, int line) {
    if (found != expected) {
        printf("line %d: %s, expected: %s\n", line, flowlet_error_name(found),
               flowlet_error_name(expected));
        failures++;
    }
}

#define EXPECT(expected, found) expect(expected, found, __LINE__)

static uint32_t constant(void *state) { return *(uint32_t *)state; }

/* A copy of the first len bytes of the model, on a word boundary. */
static uint8_t *copy(size_t len) {
    uint8_t *bytes = malloc(len);
    memcpy(bytes, model_start, len);
    return bytes;
}

static flowlet_error load(flowlet_model *model, const uint8_t *bytes, size_t len) {
    flowlet_error error = flowlet_init(model, bytes, len);
    if (error != FLOWLET_OK) {
        EXPECT(FLOWLET_NO_MODEL, flowlet_is_strange(model, 0, &(bool){false}));
    }
    return error;
}

static void files(flowlet_model *model) {
    size_t len = (size_t)(model_end - model_start);
    EXPECT(FLOWLET_NULL, flowlet_init(NULL, model_start, len));
    EXPECT(FLOWLET_MISALIGNED, flowlet_init((flowlet_model *)((char *)model + 1), model_start, len));
    EXPECT(FLOWLET_NULL, load(model, NULL, len));
    EXPECT(FLOWLET_NOT_A_MODEL, load(model, model_start, 0));
    EXPECT(FLOWLET_TOO_LONG, load(model, model_start, SIZE_MAX));
    EXPECT(FLOWLET_TOO_LONG, load(model, model_start, (size_t)PTRDIFF_MAX + 1));
    EXPECT(FLOWLET_NULL, load(model, NULL, SIZE_MAX));
    uint8_t *bytes = copy(len);
    EXPECT(FLOWLET_LENGTH, load(model, bytes, len - 1));
    bytes[len / 2] ^= 1;
    EXPECT(FLOWLET_CHECKSUM, load(model, bytes, len));
    bytes[7] ^= 2;
    EXPECT(FLOWLET_VERSION, load(model, bytes, len));
    bytes[0] ^= 1;
    EXPECT(FLOWLET_NOT_A_MODEL, load(model, bytes, len));
    free(bytes);
    bytes = malloc(len + 1);
    memcpy(bytes + 1, model_start, len);
    EXPECT(FLOWLET_MISALIGNED, load(model, bytes + 1, len));
    free(bytes);
}

static void sizes(const flowlet_model *model) {
    size_t dim = flowlet_dim(model), len = flowlet_scratch_len(model);
    float *x = calloc(dim, sizeof *x), context[1] = {0}, log_prob;
    uint32_t *scratch = calloc(len, sizeof *scratch), state = 1u << 30;
    EXPECT(FLOWLET_OK, flowlet_transport(model, x, dim, NULL, 0, scratch, len, 0));
    EXPECT(FLOWLET_OK, flowlet_transport(model, x, dim, context, 0, scratch, len, 3));
    EXPECT(FLOWLET_OK, flowlet_sample(model, constant, &state, x, dim, NULL, 0, scratch, len, 0));
    EXPECT(FLOWLET_OK, flowlet_log_prob(model, x, dim, NULL, 0, scratch, len, &log_prob));
    EXPECT(FLOWLET_SCRATCH, flowlet_transport(model, x, dim, NULL, 0, scratch, len - 1, 0));
    EXPECT(FLOWLET_SCRATCH, flowlet_transport(model, x, dim, NULL, 0, NULL, 0, 0));
    EXPECT(FLOWLET_SCRATCH, flowlet_log_prob(model, x, dim, NULL, 0, scratch, 0, &log_prob));
    EXPECT(FLOWLET_DIM, flowlet_transport(model, x, dim - 1, NULL, 0, scratch, len, 0));
    EXPECT(FLOWLET_DIM, flowlet_sample(model, constant, &state, x, 1, NULL, 0, scratch, len, 0));
    EXPECT(FLOWLET_CONTEXT, flowlet_transport(model, x, dim, context, 1, scratch, len, 0));
    EXPECT(FLOWLET_TOO_LONG, flowlet_transport(model, x, SIZE_MAX, NULL, 0, scratch, len, 0));
    EXPECT(FLOWLET_TOO_LONG, flowlet_transport(model, x, dim, context, SIZE_MAX, scratch, len, 0));
    EXPECT(FLOWLET_TOO_LONG,
           flowlet_transport(model, x, dim, NULL, 0, scratch, (size_t)PTRDIFF_MAX / 4 + 1, 0));
    EXPECT(FLOWLET_TOO_LONG,
           flowlet_sample(model, constant, &state, x, SIZE_MAX / 4 + 2, NULL, 0, scratch, len, 0));
    EXPECT(FLOWLET_TOO_LONG,
           flowlet_log_prob(model, x, SIZE_MAX, NULL, 0, scratch, len, &log_prob));
    EXPECT(FLOWLET_NULL, flowlet_transport(NULL, x, dim, NULL, 0, scratch, len, 0));
    EXPECT(FLOWLET_NULL, flowlet_transport(model, NULL, dim, NULL, 0, scratch, len, 0));
    EXPECT(FLOWLET_NULL, flowlet_transport(model, x, dim, NULL, 1, scratch, len, 0));
    EXPECT(FLOWLET_NULL, flowlet_transport(model, x, dim, NULL, 0, NULL, len, 0));
    EXPECT(FLOWLET_NULL, flowlet_sample(model, NULL, &state, x, dim, NULL, 0, scratch, len, 0));
    EXPECT(FLOWLET_NULL, flowlet_log_prob(model, x, dim, NULL, 0, scratch, len, NULL));
    EXPECT(FLOWLET_MISALIGNED, flowlet_transport(model, x, dim, NULL, 0,
                                                 (uint32_t *)((char *)scratch + 2), len - 1, 0));
    EXPECT(FLOWLET_MISALIGNED,
           flowlet_log_prob(model, (float *)((char *)x + 1), dim, NULL, 0, scratch, len, &log_prob));
    EXPECT(FLOWLET_NULL, flowlet_is_strange(model, 0, NULL));
    EXPECT(FLOWLET_NOT_CALIBRATED, flowlet_is_strange(model, 0, &(bool){false}));
    free(x);
    free(scratch);
}

int main(void) {
    flowlet_model *model = calloc(1, sizeof *model);
    EXPECT(FLOWLET_NO_MODEL, flowlet_transport(model, NULL, 0, NULL, 0, NULL, 0, 0));
    if (flowlet_dim(model) != 0 || flowlet_scratch_len(NULL) != 0) {
        failures++;
    }
    files(model);
    EXPECT(FLOWLET_OK, flowlet_init(model, model_start, (size_t)(model_end - model_start)));
    sizes(model);
    free(model);
    if (strcmp(flowlet_error_name((flowlet_error)99), "there is no such error") != 0) {
        failures++;
    }
    printf("%d failures\n", failures);
    return failures != 0;
}
