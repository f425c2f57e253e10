/* SPDX-License-Identifier: MIT
 * safetensors.h - tensors in one file: checked and mapped for reading, streamed for writing.
 *
 *     8 bytes: n, little endian | n bytes: JSON, name -> dtype, shape, data_offsets | tensors, no gaps
 *
 * Reading gives the handle of tensors.h. */
#ifndef MO_FORMAT_SAFETENSORS_H
#define MO_FORMAT_SAFETENSORS_H

#include "format/tensors.h"

/* Maps (or reads, when `read` is set) and checks the whole structure.  FORMAT names the tensor and the
 * numbers that disagree; UNSUPPORTED: an element type or more dimensions than mo_view has.  Tensors come in the
 * order of their data. */
mopd_status mo_safetensors_open(mo_tensors **out, const char *path, bool read);

/* The same over bytes of the caller, which must outlive the handle; `path` for messages. */
mopd_status mo_safetensors_open_bytes(mo_tensors **out, const void *bytes, size_t n, const char *path);

/* Whether bytes begin as such a file: a length below 2^32, then JSON.  And what reads one: see tensors_inner.h. */
bool mo_safetensors_is(const void *bytes, size_t n);
mopd_status mo_safetensors_read(mo_tensors *t);

/* Writing: declare all metadata and tensors, begin, write each tensor's bytes in the order declared,
 * commit.  The file appears at commit only.  Its bytes depend on what was declared alone; the data starts at
 * a multiple of 64. */
typedef struct mo_safetensors_writer mo_safetensors_writer;

mopd_status mo_safetensors_writer_create(mo_safetensors_writer **out);

/* ARG for a repeated key or name, or one that is no UTF-8. */
mopd_status mo_safetensors_writer_meta(mo_safetensors_writer *w, const char *key, const char *value);
mopd_status mo_safetensors_writer_tensor(
    mo_safetensors_writer *w, const char *name, mo_dtype dtype, int n_dims, const size_t *shape);

mopd_status mo_safetensors_writer_begin(mo_safetensors_writer *w, const char *path);

/* The next n bytes of the data; any split.  STATE beyond the last tensor. */
mopd_status mo_safetensors_writer_write(mo_safetensors_writer *w, const void *bytes, size_t n);

/* The next n elements, as the type of the tensor they fall into (F32, F16, BF16); within one tensor. */
mopd_status mo_safetensors_writer_floats(mo_safetensors_writer *w, const float *x, size_t n);

/* STATE when bytes are missing. */
mopd_status mo_safetensors_writer_commit(mo_safetensors_writer *w);

/* Frees the writer; a file begun and not committed is removed.  Takes NULL. */
void mo_safetensors_writer_free(mo_safetensors_writer *w);

#endif
