/* SPDX-License-Identifier: MIT
 * tensors.c - what must hold of a file of tensors that an input made. */
#include "tensors.h"

#include <string.h>

#include "base/view.h"
#include "fuzz.h"

void fuzz_tensors(const mo_tensors *t)
{
    for (size_t i = 0; i < mo_tensors_count(t); i++) {
        const mo_view *view = mo_tensors_view(t, i);
        FUZZ_MUST(mo_tensors_find(t, mo_tensors_name(t, i)) == view);
        fuzz_touch(view->data, view->n * mo_dtype_size(view->dtype));
    }
    for (size_t i = 0; i < mo_tensors_n_meta(t); i++) {
        const char *value = mo_tensors_meta_value(t, i);
        FUZZ_MUST(mo_tensors_meta(t, mo_tensors_meta_key(t, i)) == value);
        fuzz_touch(value, strlen(value));
    }
}
