/* SPDX-License-Identifier: MIT
 * hub_cache.h - where a model lies in the cache of Hugging Face's hub.
 *
 *     models--ORG--NAME/refs/main                the name of a snapshot
 *     models--ORG--NAME/snapshots/COMMIT/FILE    links to ../../blobs */
#ifndef MO_MODEL_LAYOUTS_HUB_CACHE_H
#define MO_MODEL_LAYOUTS_HUB_CACHE_H

#include "base/fail.h"

/* The folder with the model's files: that of refs/main, without one the only snapshot.  NULL where path is no such
 * cache; mo_mem_free it.  IO: a cache without a snapshot; FORMAT: several, and nothing says which. */
mopd_status mo_hub_cache_find(char **out, const char *path);

#endif
