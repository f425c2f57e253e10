/* SPDX-License-Identifier: MIT
 * torchfile.h - the tensors of a PyTorch file: torch.save (zip and legacy) and TorchScript archives.
 *
 * Nothing in the file is ever called: its pickle is read into a tree (pickle.h) in which only tensors,
 * containers and inert module objects may occur.  A tensor's name is the way to it, joined by dots:
 * "visual.conv1.weight". */
#ifndef MO_FORMAT_TORCHFILE_H
#define MO_FORMAT_TORCHFILE_H

#include "base/fail.h"
#include "base/view.h"

typedef struct mo_torchfile mo_torchfile;

/* Maps (or reads) path.  FORMAT names the byte, the entry or the global that is not allowed; UNSUPPORTED:
 * big endian, compressed tensors, tensors that repeat elements (expanded). */
mopd_status mo_torchfile_open(mo_torchfile **out, const char *path, bool read);

/* The same over bytes of the caller, which must outlive the handle; `path` for messages. */
mopd_status mo_torchfile_open_bytes(mo_torchfile **out, const void *bytes, size_t n, const char *path);
void mo_torchfile_close(mo_torchfile *t);

const char *mo_torchfile_path(const mo_torchfile *t);
size_t mo_torchfile_file_bytes(const mo_torchfile *t);

/* Tensors in the order of the file. */
size_t mo_torchfile_count(const mo_torchfile *t);
const char *mo_torchfile_name(const mo_torchfile *t, size_t i);
const mo_view *mo_torchfile_view(const mo_torchfile *t, size_t i);

/* By name, pointing into the file, or to a copy where the file's elements are not in order (transposed,
 * permuted). NULL when there is none.  need: FORMAT names file and tensor. */
const mo_view *mo_torchfile_find(const mo_torchfile *t, const char *name);
mopd_status mo_torchfile_need(const mo_torchfile *t, const char *name, const mo_view **out);

/* Tells the system that a tensor's pages are not needed now. */
void mo_torchfile_release(const mo_torchfile *t, const mo_view *view);

#endif
