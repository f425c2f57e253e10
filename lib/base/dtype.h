/* SPDX-License-Identifier: MIT
 * dtype.h - the element types of stored tensors. */
#ifndef MO_BASE_DTYPE_H
#define MO_BASE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum mo_dtype {
    MO_F32,
    MO_F16,
    MO_BF16,
    MO_F64,
    MO_I64,
    MO_I32,
    MO_I16,
    MO_I8,
    MO_U8,
    MO_BOOL
} mo_dtype;

size_t mo_dtype_size(mo_dtype dtype);
const char *mo_dtype_name(mo_dtype dtype);             /* as safetensors writes it: "F32", "BF16" */
bool mo_dtype_find(mo_dtype *dtype, const char *name); /* false for another name */

#endif
