/* SPDX-License-Identifier: MIT
 * torchfile.h - the tensors of a PyTorch file: torch.save (zip and legacy) and TorchScript archives.
 *
 * Nothing in the file is ever called: its pickle is read into a tree (pickle.h) in which only
 * tensors, containers and inert module objects may occur.  A tensor's name is the way to it, joined
 * by dots: "visual.conv1.weight". */
#ifndef MO_FORMAT_TORCHFILE_H
#define MO_FORMAT_TORCHFILE_H

#include "format/tensors.h"

/* Maps (or reads) path.  FORMAT names the byte, the entry or the global that is not allowed; UNSUPPORTED: big
 * endian, compressed tensors, tensors that repeat elements (expanded).  Tensors whose elements are not in order
 * in the file (transposed, permuted) are copies. */
mopd_status mo_torchfile_open(mo_tensors **out, const char *path, bool read);

/* The same over bytes of the caller, which must outlive the handle; `path` for messages. */
mopd_status mo_torchfile_open_bytes(mo_tensors **out, const void *bytes, size_t n, const char *path);

/* Whether bytes begin as such a file: a zip archive, or the pickle of the legacy format's magic number.  And
 * what reads one: see tensors_inner.h. */
bool mo_torchfile_is(const void *bytes, size_t n);
mopd_status mo_torchfile_read(mo_tensors *t);

#endif
