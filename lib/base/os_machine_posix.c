/* SPDX-License-Identifier: MIT
 * os_machine_posix.c - what the machine is and what its processors have, by POSIX and by Linux. */
#define _GNU_SOURCE /* sched_getaffinity, pthread_setaffinity_np */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "base/os_thread.h"

#ifdef __linux__
#include <sys/auxv.h>
#include <sys/syscall.h>
#endif

size_t mo_os_machine(char *out, size_t room)
{
    const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, out, room);
    if (fd >= 0) close(fd);
    if (n > 0) return (size_t)n;
    return gethostname(out, room) ? 0 : strnlen(out, room);
}

/* Linux gives tiles to a process that asks. */
bool mo_os_ask_tiles(void)
{
#if defined(__linux__) && defined(__x86_64__)
    enum { REQUEST = 0x1023, TILES = 18 };
    return syscall(SYS_arch_prctl, REQUEST, TILES) == 0;
#else
    return false;
#endif
}

bool mo_os_has_dot(void)
{
#if defined(__linux__) && defined(__aarch64__)
    return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
    return false;
#endif
}

/* -- processors ---------------------------------------------------------------------------------------------- */

#ifdef __linux__
static bool ask_mine(cpu_set_t *set)
{
    return !sched_getaffinity(0, sizeof *set, set) && CPU_COUNT(set) > 0;
}
#endif

size_t mo_os_processors(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef __linux__
    cpu_set_t set;
    if (ask_mine(&set)) return (size_t)CPU_COUNT(&set);
#endif
    return n < 1 ? 1 : (size_t)n;
}

bool mo_os_may_run_on(size_t processor)
{
#ifdef __linux__
    cpu_set_t set;
    return processor < CPU_SETSIZE && ask_mine(&set) && CPU_ISSET(processor, &set);
#else
    return processor < mo_os_processors();
#endif
}

#if defined(__linux__) && !defined(__ANDROID__)
int mo_os_processor(void)
{
    return sched_getcpu();
}

bool mo_os_threads_keep_off(const mo_os_thread *first, size_t n, size_t step, int processor)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) || CPU_COUNT(&set) < 2 || processor >= CPU_SETSIZE)
        return false;
    CPU_CLR((size_t)processor, &set);
    for (size_t i = 0; i < n; i++) {
        const mo_os_thread *thread = (const void *)((const char *)first + i * step);
        pthread_setaffinity_np(*thread, sizeof set, &set);
    }
    return true;
}
#else
int mo_os_processor(void)
{
    return -1;
}

bool mo_os_threads_keep_off(const mo_os_thread *first, size_t n, size_t step, int processor)
{
    (void)first, (void)n, (void)step, (void)processor;
    return false;
}
#endif
