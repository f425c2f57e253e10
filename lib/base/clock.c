/* SPDX-License-Identifier: MIT
 * clock.c - time that passes. */
#include "base/clock.h"

#include "base/os.h"

double mo_clock_seconds(void)
{
    return mo_os_clock();
}
