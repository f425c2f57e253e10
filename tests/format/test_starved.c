/* SPDX-License-Identifier: MIT
 * test_starved.c - decoders of other libraries that get no memory: each block that one of them asks the C library for is
 * refused in turn, with all that follow and alone.  The picture comes out whole, or the call says NOMEM; nothing is left.
 *
 * Some libraries do not tell memory that ran out from damage.  There NOMEM is said as long as there is none; a block that was
 * refused alone looks like damage.  libheif ends the process, so that room is looked for before it is called: it meets
 * limits of the process instead.  The pictures are those of the fuzz targets' corpora. */
#include "test.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "format/image_decode.h"

#if defined(__GLIBC__) && !defined(MOPD_SANITIZED)
#define EXPORTED __attribute__((visibility("default")))

static long refused = -1; /* how many blocks are given before one is not; -1: all are given */
static bool all_later;
static long n_live, n_refused;

static bool gives(void)
{
    if (refused < 0) return true;
    if (refused > 0) {
        refused--;
        return true;
    }
    if (!all_later) refused = -1;
    n_refused++;
    return false;
}

/* glibc's own. NOLINTBEGIN(bugprone-reserved-identifier) */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *block, size_t n);
extern void *__libc_memalign(size_t alignment, size_t n);
extern void __libc_free(void *block);
/* NOLINTEND(bugprone-reserved-identifier) */

EXPORTED void *malloc(size_t n)
{
    void *block = gives() ? __libc_malloc(n) : NULL;
    n_live += block != NULL;
    return block;
}

EXPORTED void *calloc(size_t n, size_t size)
{
    void *block = gives() ? __libc_calloc(n, size) : NULL;
    n_live += block != NULL;
    return block;
}

EXPORTED void *realloc(void *block, size_t n)
{
    if (!gives()) return NULL;
    void *moved = __libc_realloc(block, n);
    n_live += !block && moved;
    return moved;
}

EXPORTED int posix_memalign(void **block, size_t alignment, size_t n)
{
    *block = gives() ? __libc_memalign(alignment, n) : NULL;
    n_live += *block != NULL;
    return *block ? 0 : 12; /* ENOMEM */
}

EXPORTED void free(void *block)
{
    n_live -= block != NULL;
    __libc_free(block);
}

static void refuse(long after, bool later)
{
    refused = after;
    all_later = later;
    n_refused = 0;
}

static bool same(const mo_image *a, const mo_image *b)
{
    return a->width == b->width && a->height == b->height && !a->alpha == !b->alpha &&
           !memcmp(a->rgb, b->rgb, a->width * a->height * 3);
}

/* Whether the call failed; fails the test where the answer is wrong.  tells: the library says what it lacks. */
static bool try_without(
    const char *path, const mo_buf *bytes, const mo_image *whole, long after, bool later, bool tells)
{
    mo_image image;
    const long before = n_live;
    const size_t n_own = mo_mem_live();
    refuse(after, later);
    mopd_status st = mo_image_decode(&image, bytes->data, bytes->size, NULL);
    refuse(-1, false);
    if (st != MOPD_OK && st != MOPD_E_NOMEM && tells)
        fail_msg("%s: block %ld: %s: %s", path, after, mopd_status_name(st), mopd_last_error());
    if (st == MOPD_OK && !same(&image, whole)) fail_msg("%s: block %ld: another picture", path, after);
    mo_image_free(&image);
    if (tells && n_live != before)
        fail_msg("%s: block %ld: %ld blocks are left", path, after, n_live - before);
    if (mo_mem_live() != n_own) fail_msg("%s: block %ld: blocks of ours are left", path, after);
    return st != MOPD_OK;
}

/* One block alone is refused: nothing breaks and nothing is left. */
static bool try_one(const char *path, const mo_buf *bytes, long after)
{
    mo_image image;
    const size_t n_own = mo_mem_live();
    refuse(after, false);
    const mopd_status st = mo_image_decode(&image, bytes->data, bytes->size, NULL);
    const bool reached = n_refused > 0;
    refuse(-1, false);
    if (st != MOPD_OK && st != MOPD_E_NOMEM && st != MOPD_E_FORMAT)
        fail_msg("%s: block %ld alone: %s: %s", path, after, mopd_status_name(st), mopd_last_error());
    mo_image_free(&image);
    if (mo_mem_live() != n_own) fail_msg("%s: block %ld alone: blocks of ours are left", path, after);
    return reached;
}

static void starve(const char *path, bool tells)
{
    mo_buf bytes = {0};
    mo_image whole, again;
    long n = 0;
    assert_ok(mo_file_read(&bytes, path, (size_t)1 << 20));
    if (mo_image_decode(&whole, bytes.data, bytes.size, NULL) == MOPD_OK) {
        assert_ok(mo_image_decode(
            &again, bytes.data, bytes.size, NULL)); /* what is kept for ever is taken by now */
        mo_image_free(&again);
        while (try_without(path, &bytes, &whole, n, true, tells)) n++;
        for (n = 0; tells && try_without(path, &bytes, &whole, n, false, true);) n++;
        for (n = 0; try_one(path, &bytes, n);) n++;
    }
    mo_image_free(&whole);
    mo_buf_free(&bytes);
}

static void each_picture(const char *kind, void (*fn)(const char *path, bool tells), bool tells)
{
    char folder[600], path[1200];
    snprintf(folder, sizeof folder, MOPD_SOURCE_DIR "/tests/fuzz/corpus/%s", kind);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (*e->d_name == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        fn(path, tells);
    }
    closedir(dir);
}

/* Bytes of address space that this process has. */
static size_t mapped(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%llu", &pages) != 1) pages = 0;
    if (f) fclose(f);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* In a process of its own that may have `more` bytes: its status, and whether it decoded. */
static bool decodes_within(const char *path, size_t more)
{
    int status;
    const pid_t child = fork();
    if (!child) {
        mo_image image;
        const size_t limit = mapped() + more;
        setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit});
        const mopd_status st = mo_image_decode_file(&image, path, NULL);
        if (st != MOPD_OK && st != MOPD_E_NOMEM) fprintf(stderr, "%s\n", mopd_last_error());
        _exit(st == MOPD_OK ? 0 : st == MOPD_E_NOMEM ? 1 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status)) fail_msg("%s with %zu bytes: ended by signal %d", path, more, WTERMSIG(status));
    if (WEXITSTATUS(status) > 1) fail_msg("%s with %zu bytes: not NOMEM", path, more);
    return WEXITSTATUS(status) == 0;
}

static void limit(const char *path, bool tells)
{
    mo_image image;
    (void)tells;
    if (mo_image_decode_file(&image, path, NULL) != MOPD_OK) return;
    mo_image_free(&image);
    for (size_t more = 0; more < (size_t)64 << 20 && !decodes_within(path, more);) more += (size_t)1 << 20;
}

static void starve_and_limit(const char *path, bool tells)
{
    starve(path, tells);
    limit(path, tells);
}

#define STARVES(kind, how, tells)                                                                            \
    static void kind##_without_memory_says_so(void **state)                                                  \
    {                                                                                                        \
        (void)state;                                                                                         \
        each_picture(#kind, how, tells);                                                                     \
    }
STARVES(png, starve, true)
STARVES(jpeg, starve, true)
STARVES(gif, starve_and_limit, false)
STARVES(webp, limit, false)
STARVES(tiff, limit, false)
STARVES(heif, limit, false)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_without_memory_says_so),
        cmocka_unit_test(jpeg_without_memory_says_so),
        cmocka_unit_test(gif_without_memory_says_so),
        cmocka_unit_test(webp_without_memory_says_so),
        cmocka_unit_test(tiff_without_memory_says_so),
        cmocka_unit_test(heif_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
    return 0;
}
#endif
