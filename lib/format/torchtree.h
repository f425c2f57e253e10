/* SPDX-License-Identifier: MIT
 * torchtree.h - what the pickle inside a PyTorch file means: which globals may occur, storages, named tensors. */
#ifndef MO_FORMAT_TORCHTREE_H
#define MO_FORMAT_TORCHTREE_H

#include "base/view.h"
#include "format/pickle.h"

/* A run of numel elements somewhere in the file, named by a key. */
typedef struct mo_torchtree_storage_run {
    const mo_pnode *key; /* a text */
    mo_dtype dtype;
    size_t numel, n_bytes;
    const void *data; /* NULL until its place is known */
} mo_torchtree_storage_run;

typedef struct mo_torchtree_tensor {
    char *name;
    mo_view view;
    void *copy; /* what view.data points to when the file's elements are not in order; else NULL */
} mo_torchtree_tensor;

typedef struct mo_torchtree_list {
    mo_torchtree_tensor *tensor;
    size_t n, cap;
    uint64_t bytes;      /* of memory, copies apart */
    size_t n_data_bytes; /* of all tensors, as often as they share them */
} mo_torchtree_list;

/* Finds the bytes of a storage whose other fields are filled in. */
typedef mopd_status (*mo_torchtree_place_fn)(void *ctx, mo_torchtree_storage_run *storage);

typedef struct mo_torchtree {
    const mo_pickle *pickle;
    mo_torchtree_place_fn place;
    void *ctx;
    const char *path;
    size_t n_bytes;    /* of the file */
    size_t copy_limit; /* bytes that tensors out of order may take in memory */
} mo_torchtree;

/* The globals that plain tensors, containers and TorchScript modules need; all others are refused. */
bool mo_torchtree_allow(const mo_pnode *module, const mo_pnode *name);

/* Reads ("storage", torch.XStorage, key, device, numel) from a MO_P_STORAGE node. */
mopd_status mo_torchtree_storage(
    mo_torchtree_storage_run *out, const mo_torchtree *tree, const mo_pnode *node);

/* Adds every tensor under the root, named by the way to it: dictionary keys, attributes and list positions
 * joined by dots.  Tensors whose elements are not in order (transposed, permuted) are copied into order.  UNSUPPORTED:
 * more tensors than the limit; so much shared that a small file would be a large model. */
mopd_status mo_torchtree_collect(mo_torchtree_list *out, mo_torchtree *tree);
void mo_torchtree_free_list(mo_torchtree_list *list);

#endif
