/* SPDX-License-Identifier: MIT
 * test_patch_stem.c - patches through three convolutions: against the convolutions one after the other, the class token,
 * positions, threads. */
#include "test.h"

#include "layer/patch_stem.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"
#include "support/plain.h"

enum { IMAGES = 2 };

typedef struct scene {
    size_t side, patch, n, width[3]; /* n: patches */
    float *pixels, *w[3], *bias[3], *first, *pos, *x, *other, *scratch;
    mo_patch_stem_part part[3];
    mo_patch_stem stem;
} scene;

static scene open_scene(size_t side, size_t patch, const size_t width[3])
{
    scene s = {.side = side, .patch = patch, .n = (side / patch) * (side / patch)};
    memcpy(s.width, width, sizeof s.width);
    s.pixels = test_floats(IMAGES * 3 * side * side, 1);
    for (size_t i = 0; i < 3; i++) {
        const size_t in = i ? width[i - 1] : 3, k = i ? 2 : patch / 4;
        s.w[i] = test_floats(width[i] * in * k * k, 2 + (uint32_t)i);
        s.bias[i] = test_floats(width[i], 5 + (uint32_t)i);
        s.part[i] = (mo_patch_stem_part){s.w[i], s.bias[i], width[i], in, k};
    }
    s.first = test_floats(width[2], 8);
    s.pos = test_floats(s.n * width[2], 9);
    s.x = test_floats(IMAGES * (s.n + 1) * width[2], 10);
    s.other = test_floats(IMAGES * (s.n + 1) * width[2], 11);
    assert_ok(mo_patch_stem_pack(&s.stem, s.part, (size_t[]){side, patch}, false));
    s.scratch = test_floats(mo_patch_stem_scratch(&s.stem), 12);
    return s;
}

static void close_scene(scene *s)
{
    mo_patch_stem_free(&s->stem);
    assert_null(s->stem.cell.bias);
    mo_mem_free(s->pixels), mo_mem_free(s->first), mo_mem_free(s->pos);
    mo_mem_free(s->x), mo_mem_free(s->other), mo_mem_free(s->scratch);
    for (size_t i = 0; i < 3; i++) mo_mem_free(s->w[i]), mo_mem_free(s->bias[i]);
}

/* out [n x side/k x side/k] of in [planes x side x side], and its GELU. */
static double *convolve(const double *in, size_t side, const mo_patch_stem_part *p, bool gelu)
{
    const size_t k = p->k, to = side / k;
    double *out = plain_make(p->n * to * to);
    for (size_t i = 0; i < p->n * to * to; i++) {
        const size_t o = i / to / to, y = i / to % to, x = i % to;
        double sum = (double)p->bias[o];
        for (size_t a = 0; a < p->in * k * k; a++)
            sum += (double)p->w[o * p->in * k * k + a] *
                   in[(a / k / k * side + y * k + a / k % k) * side + x * k + a % k];
        out[i] = gelu ? plain_act(sum, MO_ACT_GELU) : sum;
    }
    return out;
}

static void matches_convolutions(const scene *s, size_t image)
{
    const size_t grid = s->side / s->patch, used = grid * s->patch, w = s->width[2];
    double *pixels = plain_make(3 * used * used);
    for (size_t i = 0; i < 3 * used * used; i++) {
        const size_t plane = i / used / used, y = i / used % used, x = i % used;
        pixels[i] = (double)s->pixels[((image * 3 + plane) * s->side + y) * s->side + x];
    }
    double *a = convolve(pixels, used, &s->part[0], true), *b = convolve(a, grid * 4, &s->part[1], true),
           *c = convolve(b, grid * 2, &s->part[2], false);
    const float *x = s->x + image * (s->n + 1) * w;
    assert_memory_equal(x, s->first, w * sizeof *x);
    for (size_t r = 0; r < s->n; r++)
        for (size_t o = 0; o < w; o++)
            assert_near_at(x[(r + 1) * w + o], c[o * s->n + r] + (double)s->pos[r * w + o], 3e-5,
                "side %zu, picture %zu, patch %zu", s->side, image, r);
    free(pixels), free(a), free(b), free(c);
}

static void run(const scene *s, mo_pool *pool, float *x, size_t from, size_t n)
{
    mo_patch_stem_fwd(pool, x, s->pixels + from * 3 * s->side * s->side, &s->stem,
        &(mo_patch_stem_call){s->first, s->pos, s->scratch, n});
}

static void check(size_t side, size_t patch, const size_t width[3])
{
    scene s = open_scene(side, patch, width);
    const size_t floats = (s.n + 1) * width[2];
    run(&s, NULL, s.x, 0, IMAGES);
    for (size_t i = 0; i < IMAGES; i++) matches_convolutions(&s, i);
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        run(&s, pool, s.other, 0, IMAGES);
        mo_pool_free(pool);
        assert_memory_equal(s.other, s.x, IMAGES * floats * sizeof *s.x);
    }
    run(&s, NULL, s.other, 1, 1);
    assert_memory_equal(s.other, s.x + floats, floats * sizeof *s.x);
    close_scene(&s);
}

static void sizes(void)
{
    check(32, 16, (size_t[]){6, 5, 24});
    check(8, 8, (size_t[]){3, 2, 7});
    check(27, 4, (size_t[]){4, 4, 16}); /* pixels left over */
}

static void patches_match_convolutions(void **state)
{
    (void)state;
    test_each_path(sizes);
}

static mopd_status pack_once(void *ctx)
{
    const scene *s = ctx;
    mo_patch_stem stem;
    mopd_status st = mo_patch_stem_pack(&stem, s->part, (size_t[]){8, 8}, true);
    mo_patch_stem_free(&stem);
    return st;
}

static void packing_survives_lack_of_memory(void **state)
{
    (void)state;
    static float zeros[64];
    scene s = {0};
    s.part[0] = (mo_patch_stem_part){zeros, zeros, 2, 3, 2};
    s.part[1] = (mo_patch_stem_part){zeros, zeros, 2, 2, 2};
    s.part[2] = (mo_patch_stem_part){zeros, zeros, 2, 2, 2};
    test_torture(pack_once, &s);
    mo_patch_stem_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_match_convolutions),
        cmocka_unit_test(packing_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
