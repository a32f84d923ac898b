#ifndef FLOWLET_H
#define FLOWLET_H

/* Written by cbindgen from runtime/c/src: do not edit. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 Words of the size of a pointer that a model takes.
 */
#define FLOWLET_MODEL_WORDS 40

/*
 Why a call came to nothing.
 */
enum flowlet_error
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   Nothing is wrong.
   */
  FLOWLET_OK = 0,
  /*
   A pointer is null.
   */
  FLOWLET_NULL = 1,
  /*
   A pointer is not aligned to what it points to; a model file, not to four bytes.
   */
  FLOWLET_MISALIGNED = 2,
  /*
   No model has been loaded there.
   */
  FLOWLET_NO_MODEL = 3,
  /*
   The bytes are no model file.
   */
  FLOWLET_NOT_A_MODEL = 4,
  /*
   The file is of a version that this library does not read.
   */
  FLOWLET_VERSION = 5,
  /*
   The file is shorter or longer than it should be.
   */
  FLOWLET_LENGTH = 6,
  /*
   The file is damaged.
   */
  FLOWLET_CHECKSUM = 7,
  /*
   The file's content is none that a writer writes.
   */
  FLOWLET_MALFORMED = 8,
  /*
   The nets are f32, which this library was built without.
   */
  FLOWLET_F32 = 9,
  /*
   The model is a velocity field (flow matching), which has no log-probability.
   */
  FLOWLET_NOT_REAL_NVP = 10,
  /*
   The point has another number of dimensions than the model.
   */
  FLOWLET_DIM = 11,
  /*
   The context has another length than the model takes.
   */
  FLOWLET_CONTEXT = 12,
  /*
   The scratch has fewer words than the model needs.
   */
  FLOWLET_SCRATCH = 13,
  /*
   The model has no threshold: calibrate it.
   */
  FLOWLET_NOT_CALIBRATED = 14,
  /*
   A length is beyond what memory holds behind its pointer.
   */
  FLOWLET_TOO_LONG = 15,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum flowlet_error flowlet_error;
#else
typedef int32_t flowlet_error;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 A loaded model: declare one wherever it lives as long as it is used, and call flowlet_init on it.

 What it holds is of no concern; it is no larger than FLOWLET_MODEL_WORDS pointers and needs no clean-up.
 One that is all zeros has no model.
 */
typedef struct {
  size_t opaque[FLOWLET_MODEL_WORDS];
} flowlet_model;

/*
 A function that gives 32 random bits at each call.
 */
typedef uint32_t (*flowlet_random)(void *state);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 Checks a model file and loads it into `model`, which keeps a pointer to the file: both have to stay where they
 are as long as the model is used. All checks are made here.

 - `model`: memory for a model, written.
 - `file`: `len` bytes, from a word boundary on, in flash or anywhere.

 Gives FLOWLET_NULL, FLOWLET_MISALIGNED, FLOWLET_TOO_LONG, or what is wrong with the file; `model` then has no model.

 # Safety

 Pointers lead to what is said above.
 */
flowlet_error flowlet_init(flowlet_model *model,
                           const uint8_t *file,
                           size_t len);

/*
 Dimensions of a point; 0 where there is no model.

 # Safety

 `model` is null or leads to a model.
 */
size_t flowlet_dim(const flowlet_model *model);

/*
 Numbers in a context; 0 where there is no model.

 # Safety

 `model` is null or leads to a model.
 */
size_t flowlet_context_dim(const flowlet_model *model);

/*
 Words of 32 bits that the scratch needs; 0 where there is no model.

 # Safety

 `model` is null or leads to a model.
 */
size_t flowlet_scratch_len(const flowlet_model *model);

/*
 Takes noise `x` to a point in the data's units, in place.

 - `x`: `dim` standard-normal numbers, then the point.
 - `context`: `context_len` numbers; may be null where there are none.
 - `scratch`: `scratch_len` words.
 - `steps`: Euler steps of flow matching; 0 for the model's own number.

 Gives FLOWLET_NULL, FLOWLET_MISALIGNED, FLOWLET_TOO_LONG, FLOWLET_NO_MODEL, FLOWLET_DIM, FLOWLET_CONTEXT or
 FLOWLET_SCRATCH, and then leaves `x` as it is.

 # Safety

 Pointers lead to what is said above.
 */
flowlet_error flowlet_transport(const flowlet_model *model,
                                float *x,
                                size_t dim,
                                const float *context,
                                size_t context_len,
                                uint32_t *scratch,
                                size_t scratch_len,
                                uint16_t steps);

/*
 Draws a point: noise from `random`, then flowlet_transport.

 - `random`: gives 32 random bits at each call; called with `state`.
 - all else as for flowlet_transport; `x` is only written, and on an error holds nothing of use.

 # Safety

 Pointers lead to what is said above, and `random` may be called with `state`.
 */
flowlet_error flowlet_sample(const flowlet_model *model,
                             flowlet_random random,
                             void *state,
                             float *x,
                             size_t dim,
                             const float *context,
                             size_t context_len,
                             uint32_t *scratch,
                             size_t scratch_len,
                             uint16_t steps);

/*
 The log-probability of a point, in nats, in the data's units.

 - `x`: `dim` numbers.
 - `context`, `scratch`: as for flowlet_transport.
 - `log_prob`: the result, written where nothing is wrong.

 Gives the errors of flowlet_transport, and FLOWLET_NOT_REAL_NVP.

 # Safety

 Pointers lead to what is said above.
 */
flowlet_error flowlet_log_prob(const flowlet_model *model,
                               const float *x,
                               size_t dim,
                               const float *context,
                               size_t context_len,
                               uint32_t *scratch,
                               size_t scratch_len,
                               float *log_prob);

/*
 Whether a point of this log-probability is strange: below the model's threshold, or not a number.

 - `is_strange`: the result, written where nothing is wrong.

 Gives FLOWLET_NULL, FLOWLET_NO_MODEL, or FLOWLET_NOT_CALIBRATED.

 # Safety

 Pointers lead to what is said above.
 */
flowlet_error flowlet_is_strange(const flowlet_model *model, float log_prob, bool *is_strange);

/*
 A sentence that says what an error is; never null, and never to be freed.
 */
const char *flowlet_error_name(int32_t error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FLOWLET_H */
