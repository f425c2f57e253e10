/* SPDX-License-Identifier: MIT
 * parts.h - for tests of layouts: one file of the text tower of one model and the image tower of another. */
#ifndef MOPD_TESTS_SUPPORT_PARTS_H
#define MOPD_TESTS_SUPPORT_PARTS_H

#include "test.h"

#include "format/safetensors.h"
#include "format/tensors.h"

/* The name in the file of a tensor of either part; NULL: left out. */
typedef const char *(*parts_name_fn)(bool of_image, const char *name);

static inline void parts_declare(
    mo_safetensors_writer *w, const mo_tensors *t, parts_name_fn name_of, bool of_image)
{
    for (size_t i = 0; i < mo_tensors_count(t); i++) {
        const mo_view *v = mo_tensors_view(t, i);
        const char *name = name_of(of_image, mo_tensors_name(t, i));
        if (name) assert_ok(mo_safetensors_writer_tensor(w, name, v->dtype, v->n_dims, v->shape));
    }
}

static inline void parts_put(
    mo_safetensors_writer *w, const mo_tensors *t, parts_name_fn name_of, bool of_image)
{
    for (size_t i = 0; i < mo_tensors_count(t); i++) {
        const mo_view *v = mo_tensors_view(t, i);
        if (name_of(of_image, mo_tensors_name(t, i)))
            assert_ok(mo_safetensors_writer_write(w, v->data, v->n * mo_dtype_size(v->dtype)));
    }
}

#endif
