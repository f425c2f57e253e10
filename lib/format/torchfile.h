/* SPDX-License-Identifier: MIT
 * torchfile.h - the tensors of a PyTorch file: torch.save (zip and legacy) and TorchScript archives.
 *
 * Nothing in the file is ever called: its pickle is read into a tree (pickle.h) in which only tensors,
 * containers and inert module objects may occur.  A tensor's name is the way to it, joined by dots:
 * "visual.conv1.weight". */
#ifndef MO_FORMAT_TORCHFILE_H
#define MO_FORMAT_TORCHFILE_H

#include "base/file.h"
#include "base/num.h"

typedef struct mo_torch mo_torch;

/* Maps (or reads) path.  FORMAT names the byte, the entry or the global that is not allowed; UNSUPPORTED:
 * big endian, compressed tensors, tensors that repeat elements (expanded). */
mopd_status mo_torch_open(mo_torch **out, const char *path, bool read);

/* The same over bytes of the caller, which must outlive the handle; `path` for messages. */
mopd_status mo_torch_open_bytes(mo_torch **out, const void *bytes, size_t n, const char *path);
void mo_torch_close(mo_torch *t);

const char *mo_torch_path(const mo_torch *t);
size_t mo_torch_file_bytes(const mo_torch *t);

/* Tensors in the order of the file. */
size_t mo_torch_count(const mo_torch *t);
const char *mo_torch_name(const mo_torch *t, size_t i);
const mo_view *mo_torch_view(const mo_torch *t, size_t i);

/* By name, pointing into the file, or to a copy where the file's elements are not in order (transposed,
 * permuted). NULL when there is none.  need: FORMAT names file and tensor. */
const mo_view *mo_torch_find(const mo_torch *t, const char *name);
mopd_status mo_torch_need(const mo_torch *t, const char *name, const mo_view **out);

/* Tells the system that a tensor's pages are not needed now. */
void mo_torch_release(const mo_torch *t, const mo_view *view);

#endif
