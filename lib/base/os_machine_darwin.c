/* SPDX-License-Identifier: MIT
 * os_machine_darwin.c - what the machine is and what its processors have, by Apple's sysctl. */
#include <stdint.h>
#include <string.h>
#include <sys/sysctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/os.h"
#include "base/os_thread.h"

static bool ask(const char *name, int32_t *value)
{
    size_t n = sizeof *value;
    return !sysctlbyname(name, value, &n, NULL, 0) && n == sizeof *value;
}

size_t mo_os_machine(char *out, size_t room)
{
    size_t n = room;
    if (!sysctlbyname("kern.bootsessionuuid", out, &n, NULL, 0) && n > 1) return n - 1;
    return gethostname(out, room) ? 0 : strnlen(out, room);
}

bool mo_os_ask_tiles(void)
{
    return false;
}

/* Systems before macOS 12 have no name for it, and ran on nothing of ARM's that lacks it. */
bool mo_os_has_dot(void)
{
#if defined(__aarch64__)
    int32_t there;
    return !ask("hw.optional.arm.FEAT_DotProd", &there) || there;
#else
    return false;
#endif
}

/* -- processors ---------------------------------------------------------------------------------------------- */

/* Level 0 are the fast ones; all, where all are alike, and before macOS 12, which has no levels. */
size_t mo_os_processors(void)
{
    int32_t n;
    if ((ask("hw.perflevel0.logicalcpu", &n) || ask("hw.logicalcpu", &n)) && n > 0) return (size_t)n;
    return 1;
}

bool mo_os_may_run_on(size_t processor)
{
    return processor < mo_os_processors();
}

/* The system moves threads by itself, and nobody is asked. */
int mo_os_processor(void)
{
    return -1;
}

bool mo_os_threads_keep_off(const mo_os_thread *first, size_t n, size_t step, int processor)
{
    (void)first, (void)n, (void)step, (void)processor;
    return false;
}
