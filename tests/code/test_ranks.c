/* SPDX-License-Identifier: MIT
 * test_ranks.c - reads every source of lib/, include/ and examples/ and refuses includes that point upwards.
 *
 * A folder of lib/ includes itself, lower ranks and include/mopd; a third-party header stands in one file. */
#include "test.h"

#include <dirent.h>
#include <sys/stat.h>

static const struct {
    const char *folder;
    int rank;
} ranks[] = {{"base", 0}, {"format", 1}, {"math", 1}, {"layer", 2}, {"token", 2}, {"pixel", 2}, {"clip", 3},
    {"model", 4}, {"prompt", 5}, {"data", 5}, {"train", 6}, {"api", 7}};

static const struct {
    const char *header, *owner;
} owners[] = {{"blis.h", "lib/math/gemm"}, {"png.h", "lib/format/png.c"}, {"jpeglib.h", "lib/format/jpeg.c"},
    {"zlib.h", "lib/format/zip.c"}, {"jansson.h", "lib/format/json.c"}, {"utf8proc.h", "lib/token/unicode.c"},
    {"oneapi/dnnl/dnnl.h", "lib/math/onednn.c"}, {"dnnl.h", "lib/math/onednn.c"}};

static int n_files, n_bad;

static int rank_of(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        if (strlen(ranks[i].folder) == n && !memcmp(ranks[i].folder, name, n)) return ranks[i].rank;
    }
    return -1;
}

static void bad(const char *path, const char *header, const char *why)
{
    n_bad++;
    print_message("%s includes %s: %s\n", path, header, why);
}

/* path is lib/FOLDER/FILE, header what stands between quotes. */
static void check_own(const char *path, const char *header)
{
    const char *slash = strchr(header, '/'), *from = path + 4;
    if (!slash) {
        bad(path, header, "own headers are named folder/file.h");
        return;
    }
    if (!strncmp(header, "mopd/", 5)) return;
    size_t n_from = (size_t)(strchr(from, '/') - from), n_to = (size_t)(slash - header);
    int mine = rank_of(from, n_from), theirs = rank_of(header, n_to);
    bool same = n_from == n_to && !memcmp(from, header, n_to);
    if (mine < 0 || theirs < 0)
        bad(path, header, "an unknown folder");
    else if (!same && theirs >= mine)
        bad(path, header, "points upwards or to a sibling");
}

static void check_foreign(const char *path, const char *header)
{
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
        if (!strcmp(header, owners[i].header) && strncmp(path, owners[i].owner, strlen(owners[i].owner)))
            bad(path, header, "this header belongs to one file alone");
    }
}

static void check_include(const char *path, const char *header, bool quoted)
{
    bool inner = strchr(header, '/') != NULL;
    if (!strncmp(path, "lib/", 4)) {
        if (quoted)
            check_own(path, header);
        else
            check_foreign(path, header);
    } else if (!strncmp(path, "include/", 8)) {
        if (quoted && inner) bad(path, header, "public headers include their own folder");
    } else if (quoted && inner && strncmp(header, "mopd/", 5)) {
        bad(path, header, "examples see include/mopd alone");
    }
}

static void check_line(const char *path, const char *line)
{
    char open, header[256];
    if (sscanf(line, " # include %c%255[^\">]", &open, header) != 2) return;
    if (open == '"' || open == '<') check_include(path, header, open == '"');
}

static void check_file(const char *path)
{
    char full[2048], line[1024];
    snprintf(full, sizeof full, "%s/%s", MOPD_SOURCE_DIR, path);
    FILE *f = fopen(full, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) check_line(path, line);
    fclose(f);
    n_files++;
}

static void walk(const char *path)
{
    char full[2048], inner[1024];
    snprintf(full, sizeof full, "%s/%s", MOPD_SOURCE_DIR, path);
    DIR *dir = opendir(full);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        snprintf(full, sizeof full, "%s/%s", MOPD_SOURCE_DIR, inner);
        struct stat info;
        const char *dot = strrchr(e->d_name, '.');
        if (!stat(full, &info) && S_ISDIR(info.st_mode))
            walk(inner);
        else if (dot && (!strcmp(dot, ".c") || !strcmp(dot, ".h")))
            check_file(inner);
    }
    closedir(dir);
}

static void includes_point_downward(void **state)
{
    (void)state;
    walk("lib");
    walk("include");
    walk("examples");
    assert_true(n_files > 50);
    assert_int_equal(n_bad, 0);
}

static void checker_sees_what_is_wrong(void **state)
{
    (void)state;
    int before = n_bad;
    check_line("lib/layer/norm.c", "#include \"train/trainer.h\"\n");
    check_line("lib/format/zip.c", " # include \"math/gemm.h\"\n");
    check_line("lib/format/jpeg.c", "#include <png.h>\n");
    check_line("lib/math/gemm_onednn.c", "#include <oneapi/dnnl/dnnl.h>\n");
    check_line("examples/01_classify.c", "#include \"base/mem.h\"\n");
    assert_int_equal(n_bad, before + 5);
    check_line("lib/layer/norm.c", "#include \"base/mem.h\"\n");
    check_line("lib/format/png.c", "#include <png.h>\n");
    assert_int_equal(n_bad, before + 5);
    n_bad = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(includes_point_downward),
        cmocka_unit_test(checker_sees_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
