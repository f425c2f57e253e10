/* SPDX-License-Identifier: MIT
 * tensors.h - named tensors in one file, whatever its format: what safetensors.h and torchfile.h open.
 *
 * A format's file parses and checks; finding, naming and letting go is done here, once for all of them.
 * An open file is immutable: any number of threads. */
#ifndef MO_FORMAT_TENSORS_H
#define MO_FORMAT_TENSORS_H

#include "base/fail.h"
#include "base/view.h"

typedef struct mo_tensors mo_tensors;

/* Opens path by the reader of its format, told by its first bytes.  A file that begins like none of them goes
 * to the reader that its name asks for: safetensors for "*.safetensors", PyTorch for the rest.  read: into
 * memory instead of mapping. */
mopd_status mo_tensors_open(mo_tensors **out, const char *path, bool read);
void mo_tensors_close(mo_tensors *t);

const char *mo_tensors_path(const mo_tensors *t);
size_t mo_tensors_file_bytes(const mo_tensors *t);

/* Both are of the same file in the same state, and both mapped or both read; never of a caller's bytes. */
bool mo_tensors_same(const mo_tensors *a, const mo_tensors *b);

/* Tensors in the order of the file. */
size_t mo_tensors_count(const mo_tensors *t);
const char *mo_tensors_name(const mo_tensors *t, size_t i);
const mo_view *mo_tensors_view(const mo_tensors *t, size_t i);

/* By name, pointing into the file, or to a copy where the file's elements are not in order.  NULL when there is
 * none.  need: FORMAT names file and tensor. */
const mo_view *mo_tensors_find(const mo_tensors *t, const char *name);
mopd_status mo_tensors_need(const mo_tensors *t, const char *name, const mo_view **out);

/* Texts that the file holds beside its tensors, sorted by key; none in a format that has no such thing.  meta:
 * the value of a key, NULL when there is none. */
size_t mo_tensors_n_meta(const mo_tensors *t);
const char *mo_tensors_meta_key(const mo_tensors *t, size_t i);
const char *mo_tensors_meta_value(const mo_tensors *t, size_t i);
const char *mo_tensors_meta(const mo_tensors *t, const char *key);

/* *said: the key stands there, with the only word that it may have; FORMAT for another. */
mopd_status mo_tensors_meta_word(bool *said, const mo_tensors *t, const char *key, const char *word);

/* Tells the system that a tensor's pages are not needed now. */
void mo_tensors_release(const mo_tensors *t, const mo_view *view);

#endif
