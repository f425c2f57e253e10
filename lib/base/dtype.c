/* SPDX-License-Identifier: MIT
 * dtype.c - sizes and names of element types. */
#include "base/dtype.h"

#include "base/words.h"

static const char *const names[] = {"F32", "F16", "BF16", "F64", "I64", "I32", "I16", "I8", "U8", "BOOL"};
#define N_NAMES (sizeof names / sizeof *names)

size_t mo_dtype_size(mo_dtype dtype)
{
    static const size_t size[N_NAMES] = {4, 2, 2, 8, 8, 4, 2, 1, 1, 1};
    return size[dtype];
}

const char *mo_dtype_name(mo_dtype dtype)
{
    return names[dtype];
}

bool mo_dtype_find(mo_dtype *dtype, const char *name)
{
    const int32_t found = mo_words_find(names, N_NAMES, name);
    if (found >= 0) *dtype = (mo_dtype)found;
    return found >= 0;
}
