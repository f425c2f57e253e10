/* SPDX-License-Identifier: MIT
 * test_resample.c - Pillow's resampling: its very bits on the golden pictures, the filters' formula, parts,
 * strides, and every instruction set alike. */
#include "test.h"

#include "base/mem.h"
#include "pixel/resample_kern.h"
#include "support/resampling.h"

static void check_resize(const char *line)
{
    char name[80], want[80], hex[65];
    int filter;
    size_t w, h;
    assert_int_equal(sscanf(line, "resize %79s %d %zu %zu %79s", name, &filter, &w, &h, want), 5);
    mo_image p = gold_image(name);
    mo_rect in = whole_rect(&p);
    mo_resize to = resize_to(w, h, (mo_filter)filter);
    uint8_t *out = mo_mem_alloc(h, w * 3);
    const mo_resample_kern *tables[] = {mo_resample_plain(), mo_resample_wide()};
    for (int k = 0; k < 2; k++) {
        if (!tables[k]) continue;
        assert_ok(mo_resample_with(tables[k], out, &in, &to));
        gold_hash(hex, out, h * w * 3);
        if (strncmp(hex, want, strlen(want))) fail_msg("%s: %s has %s", line, tables[k]->name, hex);
    }
    mo_mem_free(out);
    mo_image_free(&p);
}

static void resample_is_pillows(void **state)
{
    (void)state;
    gold_lines("resize ", check_resize, 80);
}

static void resample_on_lanes_has_the_same_bits(void **state)
{
    (void)state;
    if (!mo_resample_wide()) skip();
    static const size_t sides[][4] = {{1, 1, 1, 1}, {1, 1, 7, 5}, {2, 9, 5, 3}, {3, 4, 64, 64},
        {5, 1, 16, 17}, {40, 31, 224, 21}, {100, 77, 13, 6}, {301, 5, 33, 33}, {5, 401, 33, 6},
        {64, 64, 64, 20}, {65, 70, 17, 70}, {1000, 3, 2, 40}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        for (int filter = 1; filter <= 5; filter++) {
            mo_image p = random_image(sides[i][0], sides[i][1], (uint32_t)i);
            if (filter == 3) /* black and white only: overshoot everywhere */
                for (size_t k = 0; k < p.width * p.height * 3; k++) p.rgb[k] = p.rgb[k] & 1 ? 255 : 0;
            size_t w = sides[i][2], h = sides[i][3], n = w * h * 3;
            mo_rect in = whole_rect(&p);
            mo_resize to = resize_to(w, h, (mo_filter)filter);
            uint8_t *a = mo_mem_alloc(n, 1), *b = mo_mem_alloc(n, 1);
            assert_ok(mo_resample_with(mo_resample_plain(), a, &in, &to));
            assert_ok(mo_resample_with(mo_resample_wide(), b, &in, &to));
            if (memcmp(a, b, n)) fail_msg("case %zu, filter %d differs", i, filter);
            mo_mem_free(a);
            mo_mem_free(b);
            mo_image_free(&p);
        }
    }
}

static void resample_part_equals_the_whole(void **state)
{
    (void)state;
    mo_image p = random_image(97, 61, 3);
    mo_rect in = whole_rect(&p);
    for (int filter = 0; filter <= 5; filter++) {
        mo_resize to = resize_to(50, 83, (mo_filter)filter);
        uint8_t all[50 * 83 * 3], part[11 * 13 * 3];
        assert_ok(mo_resample(all, &in, &to));
        to.x = 17;
        to.y = 40;
        to.w = 11;
        to.h = 13;
        assert_ok(mo_resample(part, &in, &to));
        for (size_t y = 0; y < 13; y++)
            assert_memory_equal(part + y * 33, all + ((40 + y) * 50 + 17) * 3, 33);
    }
    mo_image_free(&p);
}

static void resample_to_the_same_size_copies(void **state)
{
    (void)state;
    mo_image p = random_image(19, 23, 4);
    mo_rect in = whole_rect(&p);
    uint8_t out[19 * 23 * 3];
    for (int filter = 0; filter <= 5; filter++) {
        mo_resize to = resize_to(19, 23, (mo_filter)filter);
        assert_ok(mo_resample(out, &in, &to));
        assert_memory_equal(out, p.rgb, sizeof out);
    }
    mo_image_free(&p);
}

/* The filters as their papers write them, in double. */
static double weight_of(mo_filter filter, double x)
{
    const double pi = acos(-1.0), ax = fabs(x);
    switch (filter) {
    case MO_FILTER_BOX:
        return x > -0.5 && x <= 0.5;
    case MO_FILTER_BILINEAR:
        return ax < 1 ? 1 - ax : 0;
    case MO_FILTER_HAMMING:
        return ax >= 1 ? 0 : ax == 0 ? 1 : sin(pi * ax) / (pi * ax) * (0.54 + 0.46 * cos(pi * ax));
    case MO_FILTER_BICUBIC:
        return ax < 1   ? 1.5 * ax * ax * ax - 2.5 * ax * ax + 1
               : ax < 2 ? -0.5 * (ax * ax * ax - 5 * ax * ax + 8 * ax - 4)
                        : 0;
    case MO_FILTER_LANCZOS:
        return ax >= 3 ? 0 : ax == 0 ? 1 : 3 * sin(pi * ax) * sin(pi * ax / 3) / (pi * pi * ax * ax);
    default:
        return 0;
    }
}

/* Output `at` of `to` from a line of `from` numbers `step` apart. */
static double sample(const double *line, size_t step, size_t from, size_t to, size_t at, mo_filter filter)
{
    const double scale = (double)from / (double)to, stretch = scale > 1 ? scale : 1,
                 centre = ((double)at + 0.5) * scale;
    double sum = 0, total = 0;
    for (size_t i = 0; i < from; i++) {
        const double w = weight_of(filter, ((double)i - centre + 0.5) * (1 / stretch));
        sum += w * line[i * step];
        total += w;
    }
    return sum / total;
}

static double to_byte(double x)
{
    x = floor(x + 0.5);
    return x < 0 ? 0 : x > 255 ? 255 : x;
}

/* One pass: `lines` lines of `from` numbers, `step` apart and `next` from line to line, each made `to` long. */
typedef struct pass {
    size_t lines, from, to, step, next, out_step, out_next;
    mo_filter filter;
} pass;

static void run_pass(double *out, const double *in, const pass *p)
{
    for (size_t l = 0; l < p->lines; l++)
        for (size_t i = 0; i < p->to; i++)
            out[l * p->out_next + i * p->out_step] =
                p->from == p->to ? in[l * p->next + i * p->step]
                                 : to_byte(sample(in + l * p->next, p->step, p->from, p->to, i, p->filter));
}

/* Both passes in double, rounded to 8 bits after each as Pillow does, in Pillow's order. */
static void resize_plainly(double *out, double *between, const double *in, const size_t size[4], mo_filter f)
{
    const size_t w = size[0], h = size[1], ow = size[2], oh = size[3];
    const bool down_first = oh < h && (double)(h - oh) > 2 * ((double)w - (double)ow);
    if (down_first) {
        run_pass(between, in, &(pass){w, h, oh, w, 1, w, 1, f});
        run_pass(out, between, &(pass){oh, w, ow, 1, w, 1, ow, f});
    } else {
        run_pass(between, in, &(pass){h, w, ow, 1, w, 1, ow, f});
        run_pass(out, between, &(pass){ow, h, oh, ow, 1, ow, 1, f});
    }
}

static void sums_are_those_of_the_formula(void **state)
{
    (void)state;
    static const size_t sides[][4] = {
        {9, 7, 5, 4}, {5, 4, 13, 9}, {12, 3, 3, 12}, {30, 20, 7, 7}, {3, 4, 40, 3}, {8, 20, 7, 6}};
    double in[30 * 20], between[40 * 20], want[40 * 12];
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++)
        for (int f = 1; f <= 5; f++) {
            const size_t w = sides[s][0], h = sides[s][1], n = sides[s][2] * sides[s][3];
            mo_image p = random_image(w, h, (uint32_t)(s * 10) + (uint32_t)f);
            mo_rect rect = whole_rect(&p);
            mo_resize to = resize_to(sides[s][2], sides[s][3], (mo_filter)f);
            uint8_t out[40 * 12 * 3];
            assert_ok(mo_resample(out, &rect, &to));
            int worst = 0;
            for (size_t c = 0; c < 3; c++) {
                for (size_t i = 0; i < w * h; i++) in[i] = p.rgb[3 * i + c];
                resize_plainly(want, between, in, sides[s], (mo_filter)f);
                for (size_t i = 0; i < n; i++) {
                    const int off = abs((int)want[i] - (int)out[3 * i + c]);
                    worst = off > worst ? off : worst;
                }
            }
            mo_image_free(&p);
            if (worst > 1) fail_msg("case %zu, filter %d: %d steps off", s, f, worst);
        }
}

static void a_plain_picture_stays_plain(void **state)
{
    (void)state;
    for (int value = 0; value < 256; value += 51)
        for (int f = 0; f <= 5; f++) {
            mo_image p = random_image(23, 17, 1);
            memset(p.rgb, value, 23 * 17 * 3);
            mo_rect in = whole_rect(&p);
            static const size_t sizes[][2] = {{7, 5}, {50, 40}, {23, 3}, {1, 1}};
            for (size_t s = 0; s < 4; s++) {
                uint8_t out[50 * 40 * 3];
                mo_resize to = resize_to(sizes[s][0], sizes[s][1], (mo_filter)f);
                assert_ok(mo_resample(out, &in, &to));
                for (size_t i = 0; i < sizes[s][0] * sizes[s][1] * 3; i++) assert_int_equal(out[i], value);
            }
            mo_image_free(&p);
        }
}

static void nearest_takes_the_pixel_under_the_centre(void **state)
{
    (void)state;
    static const size_t sides[][4] = {{10, 8, 5, 4}, {7, 5, 21, 10}, {9, 9, 4, 7}, {1, 1, 6, 6}};
    for (size_t s = 0; s < 4; s++) {
        const size_t w = sides[s][0], h = sides[s][1], ow = sides[s][2], oh = sides[s][3];
        mo_image p = random_image(w, h, (uint32_t)s);
        mo_rect in = whole_rect(&p);
        mo_resize to = resize_to(ow, oh, MO_FILTER_NEAREST);
        uint8_t out[21 * 10 * 3];
        assert_ok(mo_resample(out, &in, &to));
        for (size_t y = 0; y < oh; y++)
            for (size_t x = 0; x < ow; x++) {
                const size_t from = (2 * y + 1) * h / (2 * oh) * w + (2 * x + 1) * w / (2 * ow);
                assert_memory_equal(out + (y * ow + x) * 3, p.rgb + from * 3, 3);
            }
        mo_image_free(&p);
    }
}

static void a_box_of_whole_pixels_is_their_mean(void **state)
{
    (void)state;
    mo_image p = random_image(24, 18, 5);
    mo_rect in = whole_rect(&p);
    mo_resize to = resize_to(8, 18, MO_FILTER_BOX); /* three columns into one, rows stay */
    uint8_t out[8 * 18 * 3];
    assert_ok(mo_resample(out, &in, &to));
    for (size_t y = 0; y < 18; y++)
        for (size_t x = 0; x < 8; x++)
            for (size_t c = 0; c < 3; c++) {
                const uint8_t *from = p.rgb + (y * 24 + 3 * x) * 3 + c;
                assert_int_equal(out[(y * 8 + x) * 3 + c], (from[0] + from[3] + from[6] + 1) / 3);
            }
    mo_image_free(&p);
}

static void rows_may_lie_apart(void **state)
{
    (void)state;
    mo_image p = random_image(31, 12, 6);
    uint8_t *wide = malloc(12 * 200), a[9 * 9 * 3], b[9 * 9 * 3];
    memset(wide, 0xee, 12 * 200);
    for (size_t y = 0; y < 12; y++) memcpy(wide + y * 200, p.rgb + y * 93, 93);
    for (int f = 0; f <= 5; f++) {
        mo_rect dense = whole_rect(&p), apart = {wide, 31, 12, 200};
        mo_resize to = resize_to(9, 9, (mo_filter)f);
        assert_ok(mo_resample(a, &dense, &to));
        assert_ok(mo_resample(b, &apart, &to));
        assert_memory_equal(a, b, sizeof a);
    }
    free(wide);
    mo_image_free(&p);
}

static void channels_do_not_mix(void **state)
{
    (void)state;
    mo_image p = random_image(20, 20, 7), q = random_image(20, 20, 7);
    for (size_t i = 0; i < 400; i++) q.rgb[3 * i + 1] = 0; /* without green */
    mo_rect in = whole_rect(&p), other = whole_rect(&q);
    for (int f = 1; f <= 5; f++) {
        uint8_t a[11 * 6 * 3], b[11 * 6 * 3];
        mo_resize to = resize_to(11, 6, (mo_filter)f);
        assert_ok(mo_resample(a, &in, &to));
        assert_ok(mo_resample(b, &other, &to));
        for (size_t i = 0; i < 66; i++) {
            assert_int_equal(a[3 * i], b[3 * i]);
            assert_int_equal(b[3 * i + 1], 0);
            assert_int_equal(a[3 * i + 2], b[3 * i + 2]);
        }
    }
    mo_image_free(&p);
    mo_image_free(&q);
}

/* Shrinking looks the same from both sides; growing rounds half-way positions one way, so it may differ by a step. */
static void a_mirrored_picture_gives_the_mirrored_result(void **state)
{
    (void)state;
    mo_image p = random_image(26, 9, 8), q = random_image(26, 9, 8);
    for (size_t y = 0; y < 9; y++)
        for (size_t x = 0; x < 26; x++) memcpy(q.rgb + (y * 26 + x) * 3, p.rgb + (y * 26 + 25 - x) * 3, 3);
    mo_rect in = whole_rect(&p), mirrored = whole_rect(&q);
    for (int f = 2; f <= 3; f++) {
        uint8_t a[10 * 9 * 3], b[10 * 9 * 3];
        mo_resize to = resize_to(10, 9, (mo_filter)f);
        assert_ok(mo_resample(a, &in, &to));
        assert_ok(mo_resample(b, &mirrored, &to));
        for (size_t y = 0; y < 9; y++)
            for (size_t x = 0; x < 10; x++)
                for (size_t c = 0; c < 3; c++)
                    assert_in_range(a[(y * 10 + x) * 3 + c] + 1 - b[(y * 10 + 9 - x) * 3 + c], 0, 2);
    }
    mo_image_free(&p);
    mo_image_free(&q);
}

static mopd_status resize_once(void *ctx)
{
    const mo_image *p = ctx;
    mo_rect in = whole_rect(p);
    uint8_t out[12 * 30 * 3];
    mopd_status st = MOPD_OK;
    for (int f = 0; f <= 5 && st == MOPD_OK; f++) {
        mo_resize to = resize_to(12, 30, (mo_filter)f);
        st = mo_resample(out, &in, &to);
    }
    return st;
}

static void resample_survives_lack_of_memory(void **state)
{
    (void)state;
    uint8_t rgb[20 * 20 * 3] = {0};
    mo_image p = {.width = 20, .height = 20, .rgb = rgb};
    test_torture(resize_once, &p);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resample_is_pillows),
        cmocka_unit_test(resample_on_lanes_has_the_same_bits),
        cmocka_unit_test(resample_part_equals_the_whole),
        cmocka_unit_test(resample_to_the_same_size_copies),
        cmocka_unit_test(sums_are_those_of_the_formula),
        cmocka_unit_test(a_plain_picture_stays_plain),
        cmocka_unit_test(nearest_takes_the_pixel_under_the_centre),
        cmocka_unit_test(a_box_of_whole_pixels_is_their_mean),
        cmocka_unit_test(rows_may_lie_apart),
        cmocka_unit_test(channels_do_not_mix),
        cmocka_unit_test(a_mirrored_picture_gives_the_mirrored_result),
        cmocka_unit_test(resample_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
