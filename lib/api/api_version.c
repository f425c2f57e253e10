/* SPDX-License-Identifier: MIT
 * api_version.c - include/mopd/version.h: which library this is. */
#include <stdio.h>
#include <string.h>

#include "base/os_thread.h"
#include "base/pool.h"
#include "format/image_decode.h"
#include "math/bf16.h"
#include "math/gemm.h"
#include "math/kern.h"
#include "mopd/version.h"

uint32_t mopd_version_number(void)
{
    return MOPD_VERSION_NUMBER;
}

const char *mopd_version_string(void)
{
    return MOPD_VERSION_STRING;
}

static char build_info[256];

static void make_build_info(void)
{
    snprintf(build_info, sizeof build_info, "libmopd %s, products %s, bf16 %s, vectors %s, %zu threads",
        MOPD_VERSION_STRING, mo_gemm_name(), mo_bf16_name(), mo_kern_get()->name, mo_pool_default_threads());
    size_t n = strlen(build_info);
    for (size_t i = 0; mo_image_kind(i); i++)
        n += (size_t)snprintf(
            build_info + n, sizeof build_info - n, "%s %s", i ? "" : ", pictures", mo_image_kind(i));
    if (!mo_kern_cpu_as_wished()) snprintf(build_info + n, sizeof build_info - n, ", MOPD_CPU ignored");
    n = strlen(build_info);
    if (!mo_bf16_as_wished()) snprintf(build_info + n, sizeof build_info - n, ", MOPD_BF16 ignored");
}

const char *mopd_build_info(void)
{
    static mo_os_once once = MO_OS_ONCE;
    mo_os_once_run(&once, make_build_info);
    return build_info;
}
