/* SPDX-License-Identifier: MIT
 * tensors_open.c - which format a file of tensors has. */
#include <string.h>

#include "format/foreign.h"
#include "format/safetensors.h"
#include "format/tensors_inner.h"
#include "format/torchfile.h"

static bool is_named_safetensors(const char *path)
{
    static const char end[] = ".safetensors";
    size_t n = strlen(path);
    return n >= sizeof end - 1 && !strcmp(path + n - (sizeof end - 1), end);
}

static mopd_status read_by_content(mo_tensors *t)
{
    if (mo_safetensors_is(t->bytes, t->n_bytes)) return mo_safetensors_read(t);
    if (mo_torchfile_is(t->bytes, t->n_bytes)) return mo_torchfile_read(t);
    mopd_status st = mo_foreign_weights(t->bytes, t->n_bytes, t->path);
    if (st != MOPD_OK) return st;
    return is_named_safetensors(t->path) ? mo_safetensors_read(t) : mo_torchfile_read(t);
}

mopd_status mo_tensors_open(mo_tensors **out, const char *path, bool read)
{
    return mo_tensors_open_file(out, path, read, read_by_content);
}
