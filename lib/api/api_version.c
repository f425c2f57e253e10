/* SPDX-License-Identifier: MIT
 * api_version.c - which library this is and what holds for the whole process. */
#include "base/mem.h"
#include "base/pool.h"
#include "mopd/version.h"

uint32_t mopd_version_number(void) { return MOPD_VERSION_NUMBER; }

const char *mopd_version_string(void) { return MOPD_VERSION_STRING; }

mopd_status mopd_runtime_set_allocator(const mopd_allocator *allocator) { return mo_mem_set_allocator(allocator); }

mopd_status mopd_runtime_set_threads(uint32_t n_threads) { return mo_pool_set_default_threads(n_threads); }

void mopd_free(void *block) { mo_free(block); }
