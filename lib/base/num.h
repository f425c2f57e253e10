/* SPDX-License-Identifier: MIT
 * num.h - element types, views of stored tensors, half-precision conversion. */
#ifndef MO_BASE_NUM_H
#define MO_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum mo_dtype { MO_F32, MO_F16, MO_BF16, MO_F64, MO_I64, MO_I32, MO_I16, MO_I8, MO_U8, MO_BOOL } mo_dtype;

#define MO_MAX_DIMS 8

/* A tensor that lies in somebody's bytes: dense, row-major, possibly unaligned. */
typedef struct mo_view {
    const void *data;
    mo_dtype dtype;
    int n_dims;
    size_t shape[MO_MAX_DIMS];
    size_t n; /* elements */
} mo_view;

size_t mo_dtype_size(mo_dtype dtype);
const char *mo_dtype_name(mo_dtype dtype); /* as safetensors writes it: "F32", "BF16" */

float mo_f16_to_f32(uint16_t h);
uint16_t mo_f32_to_f16(float f); /* to nearest even; too large becomes infinite */
float mo_bf16_to_f32(uint16_t b);
uint16_t mo_f32_to_bf16(float f); /* to nearest even; NaN stays NaN */

/* n floats from elements [first, first + n) of a view of F32, F16, BF16 or F64; false for other types. */
bool mo_view_floats(const mo_view *view, size_t first, size_t n, float *out);

/* Writes n floats as dtype (F32, F16, BF16) to out, n x size bytes. */
void mo_floats_store(const float *x, size_t n, mo_dtype dtype, void *out);

bool mo_all_finite(const float *x, size_t n);

#endif
