/* SPDX-License-Identifier: MIT
 * support.c - temporary files and small numbers for the tests. */
#include "test.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

bool test_pause(time_t begun)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return time(NULL) - begun <= TEST_PATIENCE;
}

static char folder[64];

/* Every path that a test was given; it stays valid until the program ends. */
typedef struct path_link {
    struct path_link *next;
    char text[];
} path_link;
static path_link *paths;

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) {
        unlink(path);
        return;
    }
    for (struct dirent *e; (e = readdir(dir));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        char inner[4200];
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        struct stat info;
        if (!lstat(inner, &info) && S_ISDIR(info.st_mode))
            remove_tree(inner);
        else
            unlink(inner);
    }
    closedir(dir);
    rmdir(path);
}

static void remove_folder(void)
{
    remove_tree(folder);
    while (paths) {
        path_link *p = paths;
        paths = p->next;
        free(p);
    }
}

const char *test_path(const char *name)
{
    if (!*folder) {
        snprintf(folder, sizeof folder, "/tmp/mopd-test-XXXXXX");
        if (!mkdtemp(folder)) fail_msg("cannot make a temporary folder");
        atexit(remove_folder);
    }
    const size_t room = strlen(folder) + strlen(name) + 2;
    path_link *p = malloc(sizeof *p + room);
    if (!p) fail_msg("no memory for a path");
    snprintf(p->text, room, "%s/%s", folder, name);
    p->next = paths;
    paths = p;
    return p->text;
}

const char *test_write(const char *name, const void *bytes, size_t n)
{
    const char *path = test_path(name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f)) fail_msg("cannot write %s", path);
    return path;
}

char *test_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("cannot open %s", path);
    char *text = calloc(1, 1 << 17);
    assert_true(text && fread(text, 1, (1 << 17) - 1, f) > 0);
    fclose(f);
    return text;
}

double test_max_diff(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        if (!(d <= worst)) worst = d;
    }
    return worst;
}

void test_random(float *x, size_t n, uint32_t seed)
{
    uint64_t s = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < n; i++) {
        s = s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        x[i] = (float)(s >> 40) / 8388608.0f - 1.0f;
    }
}
