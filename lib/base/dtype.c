/* SPDX-License-Identifier: MIT
 * dtype.c - sizes and names of element types. */
#include "base/dtype.h"

size_t mo_dtype_size(mo_dtype dtype)
{
    static const size_t size[] = {4, 2, 2, 8, 8, 4, 2, 1, 1, 1};
    return size[dtype];
}

const char *mo_dtype_name(mo_dtype dtype)
{
    static const char *const name[] = {"F32", "F16", "BF16", "F64", "I64", "I32", "I16", "I8", "U8", "BOOL"};
    return name[dtype];
}
