/* SPDX-License-Identifier: MIT
 * test_quota.c - CPU quotas of control groups, in trees that look like the system's. */
#include "test.h"

#include "base/pool.h"
#include "base/quota.h"
#include "support/rooted.h"

static void assert_quota(size_t want)
{
    assert_int_equal(mo_quota_processors(root), want);
}

static void version_2_takes_the_smallest_of_all_groups_above(void **state)
{
    (void)state;
    assert_int_equal(make_root("two"), 0);
    put("/proc/self/cgroup", "0::/pods/one\n");
    put("/sys/fs/cgroup/pods/one/cpu.max", "max 100000\n");
    assert_quota(0);
    put("/sys/fs/cgroup/pods/cpu.max", "350000 100000\n");
    assert_quota(4); /* 3.5 */
    put("/sys/fs/cgroup/pods/one/cpu.max", "150000 100000\n");
    assert_quota(2);
    put("/sys/fs/cgroup/cpu.max", "50000 100000\n");
    assert_quota(1);
    put("/sys/fs/cgroup/cpu.max", "800000 100000\n");
    assert_quota(2);
}

static void version_1_reads_quota_and_period(void **state)
{
    (void)state;
    assert_int_equal(make_root("one"), 0);
    put("/proc/self/cgroup", "5:memory:/m\n4:cpuset,cpu:/x/y\n3:cpuacct:/z\n");
    put("/sys/fs/cgroup/cpu/x/y/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu/x/y/cpu.cfs_period_us", "100000\n");
    assert_quota(0);
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "300000\n");
    assert_quota(0); /* no period there */
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    assert_quota(3);
    put("/proc/self/cgroup", "4:cpuset,cpuacct:/x/y\n");
    assert_quota(0); /* that is another controller */
    put("/proc/self/cgroup", "4:cpu,cpuacct:/x/y\n");
    assert_quota(3);
}

/* The host's path is not there; the mount is the container's group. */
static void a_container_finds_its_group_at_the_mount(void **state)
{
    (void)state;
    assert_int_equal(make_root("container"), 0);
    put("/proc/self/cgroup", "0::/docker/0123456789abcdef\n");
    put("/sys/fs/cgroup/cpu.max", "100000 50000\n");
    assert_quota(2);
    put("/proc/self/cgroup", "7:cpu,cpuacct:/docker/0123456789abcdef\n0::/\n");
    put("/sys/fs/cgroup/cpu.max", "max\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    assert_quota(3);
}

static void what_is_no_quota_limits_nothing(void **state)
{
    (void)state;
    static const char *const limits[] = {
        "", "max", "-1 100000", "0 100000", "150000", "150000 0", "150000 -1", "x 100000", "150000 x"};
    static const char *const groups[] = {"", "\n\n", "0::", "nonsense", "4:cpu", "::", "4:cpu:", ":"};
    assert_int_equal(make_root("none"), 0);
    assert_quota(0);
    put("/proc/self/cgroup", "0::/\n");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        put("/sys/fs/cgroup/cpu.max", limits[i]);
        assert_quota(0);
    }
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        put("/proc/self/cgroup", groups[i]);
        assert_quota(0);
    }
    char deep[6000] = "0::/";
    memset(deep + 4, 'a', sizeof deep - 5);
    deep[sizeof deep - 1] = 0;
    put("/proc/self/cgroup", deep);
    put("/sys/fs/cgroup/cpu.max", "100000 100000");
    assert_quota(0); /* a path longer than any */
}

static void threads_are_no_more_than_the_quota(void **state)
{
    (void)state;
    const size_t quota = mo_quota_processors("");
    assert_true(mo_pool_processors() >= 1);
    if (quota) assert_true(mo_pool_processors() <= quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_2_takes_the_smallest_of_all_groups_above),
        cmocka_unit_test(version_1_reads_quota_and_period),
        cmocka_unit_test(a_container_finds_its_group_at_the_mount),
        cmocka_unit_test(what_is_no_quota_limits_nothing),
        cmocka_unit_test(threads_are_no_more_than_the_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
