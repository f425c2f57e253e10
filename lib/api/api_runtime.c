/* SPDX-License-Identifier: MIT
 * api_runtime.c - include/mopd/runtime.h: memory, threads and CPU path of the whole process. */
#include "api/api_runtime.h"

#include "base/mem.h"
#include "base/pool.h"
#include "base/stop.h"
#include "math/kern.h"

atomic_bool mo_api_encoder_opened;

mopd_status mopd_runtime_set_allocator(const mopd_allocator *allocator)
{
    return mo_mem_set_allocator(allocator);
}

mopd_status mopd_runtime_set_threads(uint32_t n_threads)
{
    return mo_pool_set_default_threads(n_threads);
}

mopd_status mopd_runtime_set_cpu(const char *path)
{
    if (atomic_load(&mo_api_encoder_opened))
        return mo_fail(MOPD_E_STATE, "the CPU path cannot change once an encoder has been opened");
    return mo_kern_cpu_set(path);
}

mopd_status mopd_runtime_set_stop(mopd_stop_fn fn, void *context)
{
    return mo_stop_set(fn, context);
}

void mopd_free(void *block)
{
    mo_mem_free(block);
}
