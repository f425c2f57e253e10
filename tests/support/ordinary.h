/* SPDX-License-Identifier: MIT
 * ordinary.h - a test that root runs becomes one that an ordinary user runs: modes of files hold for it and for what it
 * starts. */
#ifndef MOPD_TESTS_SUPPORT_ORDINARY_H
#define MOPD_TESTS_SUPPORT_ORDINARY_H

#include "test.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* For good.  Programs that root starts have what the bounding set holds, so it is emptied before the process's own sets.
 * False, and why on standard error, where this may not be done: a container without CAP_SETPCAP. */
static inline bool ordinary_become(void)
{
    for (int i = 0; prctl(PR_CAPBSET_READ, i) >= 0; i++) prctl(PR_CAPBSET_DROP, i);
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    syscall(SYS_capset, &head, none);
    const char *path = test_write("closed", "", 0);
    assert_false(chmod(path, 0));
    const int fd = open(path, O_RDONLY);
    if (fd >= 0) close(fd);
    unlink(path);
    if (fd >= 0) fprintf(stderr, "modes hold nobody back here: run the test as another user than root\n");
    return fd < 0;
}

#endif
