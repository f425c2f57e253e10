/* SPDX-License-Identifier: MIT
 * safetensors.h - tensors in one file: checked and mapped for reading, streamed for writing.
 *
 *     8 bytes: n, little endian | n bytes: JSON, name -> dtype, shape, data_offsets | tensors, no gaps
 *
 * An open file is immutable: any number of threads. */
#ifndef MO_FORMAT_SAFETENSORS_H
#define MO_FORMAT_SAFETENSORS_H

#include "base/fail.h"
#include "base/view.h"

typedef struct mo_safetensors mo_safetensors;

/* Maps (or reads, when `read` is set) and checks the whole structure.  FORMAT names the tensor and the
 * numbers that disagree; UNSUPPORTED: an element type or more dimensions than mo_view has. */
mopd_status mo_safetensors_open(mo_safetensors **out, const char *path, bool read);

/* The same over bytes of the caller, which must outlive the handle; `path` for messages. */
mopd_status mo_safetensors_open_bytes(mo_safetensors **out, const void *bytes, size_t n, const char *path);
void mo_safetensors_close(mo_safetensors *st);

const char *mo_safetensors_path(const mo_safetensors *st);
size_t mo_safetensors_file_bytes(const mo_safetensors *st);

/* Tensors in the order of their data. */
size_t mo_safetensors_count(const mo_safetensors *st);
const char *mo_safetensors_name(const mo_safetensors *st, size_t i);
const mo_view *mo_safetensors_view(const mo_safetensors *st, size_t i);

/* By name; NULL when there is none.  need: FORMAT names file and tensor. */
const mo_view *mo_safetensors_find(const mo_safetensors *st, const char *name);
mopd_status mo_safetensors_need(const mo_safetensors *st, const char *name, const mo_view **out);

/* Metadata, sorted by key; the value of a key, NULL when there is none. */
size_t mo_safetensors_n_meta(const mo_safetensors *st);
const char *mo_safetensors_meta_key(const mo_safetensors *st, size_t i);
const char *mo_safetensors_meta_value(const mo_safetensors *st, size_t i);
const char *mo_safetensors_meta(const mo_safetensors *st, const char *key);

/* Tells the system that a tensor's pages are not needed now. */
void mo_safetensors_release(const mo_safetensors *st, const mo_view *view);

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
