/* SPDX-License-Identifier: MIT
 * api_status.c - include/mopd/status.h. */
#include "base/fail.h"

const char *mopd_status_name(mopd_status status)
{
    return mo_fail_name(status);
}

const char *mopd_status_text(mopd_status status)
{
    return mo_fail_text(status);
}

const char *mopd_last_error(void)
{
    return mo_fail_message();
}
