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
static void end_boxes(file *f, uint32_t width, uint32_t height, uint32_t n_items)
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
}

/* Items from 1 on: the first is of a kind of its own, the others of another. */
static void list_items(file *f, const char *kind, const char *others, uint32_t n_items)
{
    begin(f, "iinf");
    add(f, 0, 4);
    add(f, n_items, 2);
    for (uint32_t k = 1; k <= n_items; k++) {
        begin(f, "infe");
        add(f, 2 << 24, 4);
        add(f, k, 2);
        add(f, 0, 2);
        for (int i = 0; i < 4; i++) add(f, (unsigned char)(k == 1 ? kind : others)[i], 1);
        add(f, 0, 1);
        end(f);
    }
    end(f);
}

static void end_file(file *f, uint32_t width, uint32_t height, uint32_t n_items)
{
    end_boxes(f, width, height, n_items);
    list_items(f, "iden", "iden", n_items);
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

/* Item 1 is a grid or an overlay, whose bytes stand in idat; items from 2 on are of 64 x 64 pixels. */
static void make(const char *kind, const void *bytes, uint32_t n, uint32_t n_tiles)
{
    begin_file(&f);
    refer(&f, "dimg", 1, 2, n_tiles, 1);
    refer(&f, "auxl", n_tiles + 2, 1, 1, 0);
    end_boxes(&f, 64, 64, n_tiles + 2);
    list_items(&f, kind, "hvc1", n_tiles + 2);
    begin(&f, "iloc");
    add(&f, 1 << 24, 4);
    add(&f, 0x4400, 2);
    add(&f, 1, 2);
    add(&f, 1, 2);
    add(&f, 1, 2); /* in idat */
    add(&f, 0, 2);
    add(&f, 1, 2);
    add(&f, 3, 4);
    add(&f, n, 4);
    end(&f);
    begin(&f, "idat");
    add(&f, 0, 3);
    for (uint32_t i = 0; i < n; i++) add(&f, ((const unsigned char *)bytes)[i], 1);
    end(&f);
    end(&f);
}

static void grids_must_be_covered(void **state)
{
    (void)state;
    const uint64_t most = UINT64_C(1) << 40;
    make("grid", "\0\0\1\2\0\xc0\0\x80", 8, 6); /* 2 x 3 tiles, 192 x 128 pixels */
    assert_ok(check(&f, f.n, most));
    make("grid", "\0\0\1\2\0\xc1\0\x80", 8, 6);
    assert_fails(check(&f, f.n, most), MOPD_E_FORMAT, "HEIF: item 1 is a grid that its tiles do not cover");
    make("grid", "\0\1\1\2\0\0\0\xc0\0\0\0\x81", 12, 6);
    assert_fails(check(&f, f.n, most), MOPD_E_FORMAT, "do not cover");
    make("grid", "\0\1\1\2\0\0\0\xc0\0\0\0\x80", 12, 6);
    assert_ok(check(&f, f.n, most));
}

/* libheif 1.15 reads and writes beyond its memory for such a layer. */
static void layers_must_begin_on_their_canvas(void **state)
{
    (void)state;
    const uint64_t most = UINT64_C(1) << 40;
    make("iovl", "\0\0########\0\x60\0\x60\0\0\0\0\0\x50\0\x50", 22, 2);
    assert_ok(check(&f, f.n, most));
    make("iovl", "\0\0########\0\x60\0\x60\0\0\0\0\xff\xff\0\x50", 22, 2);
    assert_fails(check(&f, f.n, most), MOPD_E_UNSUPPORTED,
        "HEIF: item 1 has a layer that begins left of or above its canvas");
    make("iovl", "\0\1########\0\0\0\x60\0\0\0\x60\0\0\0\0\x80\0\0\0", 26, 1);
    assert_fails(check(&f, f.n, most), MOPD_E_UNSUPPORTED, "left of or above");
    mo_image p;
    assert_fails(mo_heif_decode(&p, f.bytes, f.n, &(mo_image_rules){0}), MOPD_E_UNSUPPORTED, "left of");
}

/* A canvas is as large as the overlay says, whatever is said of it elsewhere. */
static void a_canvas_counts(void **state)
{
    (void)state;
    make("iovl", "\0\0########\x7f\xff\x7f\xff\0\0\0\0", 18, 1);
    assert_ok(check(&f, f.n, 32767 * 32767 + 2 * LEAST));
    assert_fails(check(&f, f.n, 32767 * 32767 + 2 * LEAST - 1), MOPD_E_UNSUPPORTED, "its parts");
}

static void what_readers_take_differently_is_refused(void **state)
{
    (void)state;
    const uint64_t most = UINT64_C(1) << 40;
    make("grid", "\0\0\0\0\0\x40\0\x40", 8, 1);
    const size_t n = f.n;
    assert_ok(check(&f, n, most));
    memcpy(f.bytes + n, f.bytes + 20, n - 20); /* meta again */
    assert_fails(check(&f, n + n - 20, most), MOPD_E_FORMAT, "HEIF: 2 boxes pitm");
    f.bytes[n - 8 - 3 - 8 - 1]++; /* the length of the grid's bytes */
    assert_fails(check(&f, n, most), MOPD_E_FORMAT, "item 1 lies beyond the file's end");
    make("grid", "\0\0\0\0\0\x40\0\x40", 8, 1);
    for (size_t i = 0; i + 8 < n; i++)
        if (!memcmp(f.bytes + i, "dimg", 4)) f.bytes[i + 7]++;
    assert_fails(check(&f, n, most), MOPD_E_FORMAT, "item 1 has references that are more or fewer");
}

/* libheif ends the process for the first, and reads beyond the alpha for the second. */
static void parts_are_pictures_and_alpha_is_as_large_as_its_picture(void **state)
{
    (void)state;
    const uint64_t most = UINT64_C(1) << 40;
    for (uint32_t n = 1; n <= 2; n++) {
        begin_file(&f);
        refer(&f, "dimg", 1, 2, 1, 0);
        end_boxes(&f, 64, 64, 2);
        list_items(&f, "iden", n == 1 ? "iden" : "Exif", n);
        end(&f);
        assert_fails(check(&f, f.n, most), MOPD_E_FORMAT, "HEIF: item 1 is made of what is no picture");
    }
    static const char type[] = "urn:mpeg:hevc:2015:auxid:1";
    for (uint32_t side = 63; side <= 64; side++) {
        begin_file(&f);
        refer(&f, "auxl", 2, 1, 1, 0);
        end(&f);
        begin(&f, "iprp");
        begin(&f, "ipco");
        for (int i = 0; i < 2; i++) {
            begin(&f, "ispe");
            add(&f, 0, 4);
            add(&f, 64, 4);
            add(&f, i ? side : 64, 4);
            end(&f);
        }
        begin(&f, "auxC");
        add(&f, 0, 4);
        for (size_t i = 0; i < sizeof type; i++) add(&f, (unsigned char)type[i], 1);
        end(&f);
        end(&f);
        begin(&f, "ipma");
        add(&f, 1, 4); /* numbers of two bytes */
        add(&f, 2, 4);
        add(&f, 1, 2);
        add(&f, 1, 1);
        add(&f, 1, 2);
        add(&f, 2, 2);
        add(&f, 2, 1);
        add(&f, 2, 2);
        add(&f, 0x8003, 2);
        end(&f);
        end(&f);
        list_items(&f, "hvc1", "hvc1", 2);
        end(&f);
        if (side == 64)
            assert_ok(check(&f, f.n, most));
        else
            assert_fails(check(&f, f.n, most), MOPD_E_FORMAT, "HEIF: item 1 has an alpha of another size");
    }
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
        if (st != MOPD_OK && st != MOPD_E_FORMAT) assert_int_equal(st, MOPD_E_UNSUPPORTED);
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
    make("grid", "\0\0\0\xff\x40\0\0\x40", 8, 256);
    test_torture(check_all, &f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_of_itself_is_refused),
        cmocka_unit_test(levels_are_counted),
        cmocka_unit_test(parts_are_counted_as_often_as_they_are_needed),
        cmocka_unit_test(grids_and_alphas_of_photographs_are_allowed),
        cmocka_unit_test(grids_must_be_covered),
        cmocka_unit_test(layers_must_begin_on_their_canvas),
        cmocka_unit_test(a_canvas_counts),
        cmocka_unit_test(what_readers_take_differently_is_refused),
        cmocka_unit_test(parts_are_pictures_and_alpha_is_as_large_as_its_picture),
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
