/* SPDX-License-Identifier: MIT
 * api_version.c - which library this is and what holds for the whole process. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "api/api_runtime.h"
#include "base/mem.h"
#include "base/pool.h"
#include "math/bf16.h"
#include "math/gemm.h"
#include "math/kern.h"
#include "mopd/version.h"

atomic_bool mo_api_encoder_opened;

uint32_t mopd_version_number(void)
{
    return MOPD_VERSION_NUMBER;
}

const char *mopd_version_string(void)
{
    return MOPD_VERSION_STRING;
}

static char build_info[192];

static void make_build_info(void)
{
    snprintf(build_info, sizeof build_info, "libmopd %s, products %s, bf16 %s, vectors %s, %zu threads",
        MOPD_VERSION_STRING, mo_gemm_name(), mo_bf16_name(), mo_kern_get()->name, mo_pool_default_threads());
    size_t n = strlen(build_info);
    if (!mo_kern_cpu_as_wished()) snprintf(build_info + n, sizeof build_info - n, ", MOPD_CPU ignored");
    n = strlen(build_info);
    if (!mo_bf16_as_wished()) snprintf(build_info + n, sizeof build_info - n, ", MOPD_BF16 ignored");
}

const char *mopd_build_info(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_build_info);
    return build_info;
}

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

void mopd_free(void *block)
{
    mo_mem_free(block);
}
