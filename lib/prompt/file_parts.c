/* SPDX-License-Identifier: MIT
 * file_parts.c - arrays as tensors of a file. */
#include "prompt/file_parts.h"

#include <math.h>
#include <string.h>

#include "base/floats.h"
#include "base/mem.h"

static size_t part_bytes(const mo_file_part *p)
{
    size_t bytes = mo_dtype_size(p->dtype);
    for (int i = 0; i < p->n_dims; i++) bytes *= p->shape[i];
    return bytes;
}

mopd_status mo_file_parts_declare(mo_safetensors_writer *w, const mo_file_part *list, size_t n)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < n && st == MOPD_OK; i++)
        st = mo_safetensors_writer_tensor(w, list[i].name, list[i].dtype, list[i].n_dims, list[i].shape);
    return st;
}

mopd_status mo_file_parts_write(mo_safetensors_writer *w, const mo_file_part *list, size_t n)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < n && st == MOPD_OK; i++)
        st = mo_safetensors_writer_write(w, *list[i].data, part_bytes(&list[i]));
    return st;
}

static bool all_finite(const mo_file_part *p)
{
    const size_t n = part_bytes(p) / mo_dtype_size(p->dtype);
    if (p->dtype == MO_F32) return mo_floats_finite(*p->data, n);
    const double *x = *p->data;
    for (size_t i = 0; i < n && p->dtype == MO_F64; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

static mopd_status read_part(const mo_file_part *p, const mo_tensors *f, const char *whose)
{
    const mo_view *v;
    mopd_status st = mo_tensors_need(f, p->name, &v);
    if (st != MOPD_OK) return st;
    bool same = v->dtype == p->dtype && v->n_dims == p->n_dims;
    for (int i = 0; i < p->n_dims && same; i++) same = v->shape[i] == p->shape[i];
    if (!same)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" has another shape or type than %s",
            mo_tensors_path(f), p->name, whose);
    *p->data = mo_mem_alloc(part_bytes(p), 1);
    if (!*p->data) return MOPD_E_NOMEM;
    memcpy(*p->data, v->data, part_bytes(p));
    return all_finite(p) ? MOPD_OK
                         : mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" has a number that is not finite",
                               mo_tensors_path(f), p->name);
}

mopd_status mo_file_parts_read(const mo_file_part *list, size_t n, const mo_tensors *file, const char *whose)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) st = read_part(&list[i], file, whose);
    return st;
}
