/* SPDX-License-Identifier: MIT
 * test_heif_parts.c - HEIF files that ask for more than they hold: parts of themselves, parts of parts of parts, the same part again
 * and again.  A build without libheif has nothing of this to test. */
#include "test.h"

#ifdef MOPD_HEIF

#include "format/heif.h"
#include "format/heif_parts.h"

enum { MOST = 1 << 16, DEEPEST = 16, LEAST = 4096 };

/* A file that grows; `open` are the boxes that are not closed yet. */
typedef struct file {
    unsigned char bytes[MOST];
    size_t n, open[8], n_open;
} file;

static void add(file *f, uint32_t x, size_t n_bytes)
{
    assert_true(f->n + n_bytes <= MOST);
    for (size_t i = n_bytes; i--;) f->bytes[f->n++] = (unsigned char)(x >> 8 * i);
}

static void begin(file *f, const char *kind)
{
    f->open[f->n_open++] = f->n;
    add(f, 0, 4);
    for (int i = 0; i < 4; i++) add(f, (unsigned char)kind[i], 1);
}

static void end(file *f)
{
    const size_t start = f->open[--f->n_open], stop = f->n;
    f->n = start;
    add(f, (uint32_t)(stop - start), 4);
    f->n = stop;
}

/* Item `from` refers to n items, `step` from one to the next. */
static void refer(file *f, const char *kind, uint32_t from, uint32_t to, uint32_t n, uint32_t step)
{
    begin(f, kind);
    add(f, from, 2);
    add(f, n, 2);
    for (uint32_t i = 0; i < n; i++) add(f, to + i * step, 2);
    end(f);
}

/* The head of a file and of its references; the primary item is the first. */
static void begin_file(file *f)
{
    f->n = f->n_open = 0;
    begin(f, "ftyp");
    add(f, 0x68656963, 4); /* heic */
    add(f, 0, 4);
    add(f, 0x68656963, 4);
    end(f);
    begin(f, "meta");
    add(f, 0, 4);
    begin(f, "pitm");
    add(f, 0, 4);
    add(f, 1, 2);
    end(f);
    begin(f, "iref");
    add(f, 0, 4);
}

/* The end of the references, and the size that items from 1 on have. */
static void end_file(file *f, uint32_t width, uint32_t height, uint32_t n_items)
{
    end(f);
    begin(f, "iprp");
    begin(f, "ipco");
    begin(f, "ispe");
    add(f, 0, 4);
    add(f, width, 4);
    add(f, height, 4);
    end(f);
    end(f);
    begin(f, "ipma");
    add(f, 0, 4);
    add(f, n_items, 4);
    for (uint32_t i = 1; i <= n_items; i++) {
        add(f, i, 2);
        add(f, 0x101, 2); /* one property, the first */
    }
    end(f);
    end(f);
    end(f);
}

/* In a block of exactly that size. */
static mopd_status check(const file *f, size_t n, uint64_t most)
{
    void *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, f->bytes, n);
    mopd_status st = mo_heif_parts_check(exact, n, most, "HEIF");
    free(exact);
    return st;
}

static file f;

static void what_is_made_of_itself_is_refused(void **state)
{
    (void)state;
    static const char *const kinds[] = {"dimg", "auxl"};
    for (size_t k = 0; k < 2; k++)
        for (uint32_t ring = 1; ring <= 3; ring++) {
            begin_file(&f);
            for (uint32_t i = 1; i <= ring; i++) refer(&f, kinds[k], i, i % ring + 1, 1, 0);
            end_file(&f, 64, 64, ring);
            assert_fails(check(&f, f.n, UINT64_C(1) << 40), MOPD_E_UNSUPPORTED,
                "HEIF: item 1 is made of parts of parts, more than 16 levels deep");
            mo_image p;
            assert_fails(mo_heif_decode(&p, f.bytes, f.n, &(mo_image_rules){0}), MOPD_E_UNSUPPORTED,
                "HEIF: item 1 is made of parts");
            assert_null(p.rgb);
        }
}

static void levels_are_counted(void **state)
{
    (void)state;
    for (uint32_t n = DEEPEST - 1; n <= DEEPEST; n++) {
        begin_file(&f);
        for (uint32_t i = 1; i <= n; i++) refer(&f, "dimg", i, i + 1, 1, 0);
        end_file(&f, 64, 64, n + 1);
        if (n < DEEPEST)
            assert_ok(check(&f, f.n, LEAST * (n + 1)));
        else
            assert_fails(check(&f, f.n, UINT64_MAX / 2), MOPD_E_UNSUPPORTED, "16 levels");
    }
}

/* Each layer shows the one below twice: the work doubles, the file grows by some bytes. */
static void parts_are_counted_as_often_as_they_are_needed(void **state)
{
    (void)state;
    begin_file(&f);
    for (uint32_t i = 1; i < 12; i++) refer(&f, "dimg", i, i + 1, 2, 0);
    end_file(&f, 64, 64, 12);
    const uint64_t all = LEAST * ((1 << 12) - 1);
    assert_ok(check(&f, f.n, all));
    assert_fails(check(&f, f.n, all - 1), MOPD_E_UNSUPPORTED, "are more than 16773119 pixels");
    begin_file(&f);
    refer(&f, "dimg", 1, 2, 20000, 0);
    end_file(&f, 5000, 4000, 2);
    assert_fails(check(&f, f.n, UINT64_C(20001) * 20000000 - 1), MOPD_E_UNSUPPORTED, "HEIF: its parts");
    assert_ok(check(&f, f.n, UINT64_C(20001) * 20000000));
}

static void grids_and_alphas_of_photographs_are_allowed(void **state)
{
    (void)state;
    begin_file(&f);
    refer(&f, "dimg", 1, 3, 48, 1);
    refer(&f, "auxl", 2, 1, 1, 0);
    refer(&f, "thmb", 2, 1, 1, 0);
    end_file(&f, 512, 512, 50);
    assert_ok(check(&f, f.n, 50 * 512 * 512));
    assert_fails(check(&f, f.n, 50 * 512 * 512 - 1), MOPD_E_UNSUPPORTED, "its parts");
}

/* Whatever is missing: libheif says what. */
static void files_that_are_cut_are_left_to_libheif(void **state)
{
    (void)state;
    begin_file(&f);
    refer(&f, "dimg", 1, 1, 1, 0);
    end_file(&f, 64, 64, 3);
    mo_image p;
    for (size_t n = 0; n < f.n; n++) {
        mopd_status st = check(&f, n, UINT64_C(1) << 40);
        if (st != MOPD_OK) assert_int_equal(st, MOPD_E_UNSUPPORTED);
        if (n >= 16) assert_int_not_equal(mo_heif_decode(&p, f.bytes, n, &(mo_image_rules){0}), MOPD_OK);
    }
}

static mopd_status check_all(void *context)
{
    return check(context, f.n, UINT64_C(1) << 40);
}

static void checking_survives_lack_of_memory(void **state)
{
    (void)state;
    begin_file(&f);
    refer(&f, "dimg", 1, 2, 300, 1);
    end_file(&f, 64, 64, 301);
    test_torture(check_all, &f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_of_itself_is_refused),
        cmocka_unit_test(levels_are_counted),
        cmocka_unit_test(parts_are_counted_as_often_as_they_are_needed),
        cmocka_unit_test(grids_and_alphas_of_photographs_are_allowed),
        cmocka_unit_test(files_that_are_cut_are_left_to_libheif),
        cmocka_unit_test(checking_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
