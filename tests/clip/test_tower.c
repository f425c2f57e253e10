/* SPDX-License-Identifier: MIT
 * test_tower.c - parameters by name into packed layers, and what is said of one that is not there. */
#include "test.h"

#include "base/mem.h"
#include "base/pool.h"
#include "clip/tower.h"
#include "support/plain.h"
#include "support/towers.h"

static mo_config config;
static mo_weights *weights;

static int open_weights(void **state)
{
    (void)state;
    config = tower_config();
    weights = tower_weights(&config, 70);
    return 0;
}

static int close_weights(void **state)
{
    (void)state;
    mo_weights_free(weights);
    return 0;
}

static void floats_are_all_of_a_parameter(void **state)
{
    (void)state;
    float *x;
    double *want = plain_get(weights, "text_model.embeddings.position_embedding", ".weight");
    assert_ok(mo_tower_floats(&x, weights, "text_model.embeddings.position_embedding.weight"));
    assert_true(plain_worst(x, want, 16 * 20) == 0);
    mo_mem_free(x);
    free(want);
    assert_fails(mo_tower_floats(&x, weights, "head.mix"), MOPD_E_INTERNAL, "head.mix");
}

static void norms_hold_scale_and_shift(void **state)
{
    (void)state;
    float *block;
    mo_norm norm;
    assert_ok(mo_tower_norm(&block, &norm, weights, "vision_model.post_layernorm", 0.25f));
    double *gamma = plain_get(weights, "vision_model.post_layernorm", ".weight"),
           *beta = plain_get(weights, "vision_model.post_layernorm", ".bias");
    assert_int_equal(norm.dim, 24);
    assert_true(norm.eps == 0.25f);
    assert_ptr_equal(norm.gamma, block);
    assert_ptr_equal(norm.beta, block + 24);
    assert_true(plain_worst(norm.gamma, gamma, 24) == 0 && plain_worst(norm.beta, beta, 24) == 0);
    free(gamma);
    free(beta);
    mo_mem_free(block);
    assert_fails(mo_tower_norm(&block, &norm, weights, "vision_model.embeddings.patch_embedding", 1e-5f),
        MOPD_E_INTERNAL, "patch_embedding.bias");
}

/* Rows through a packed layer and through the plain product. */
static double linear_off(const mo_linear *l, const char *stem, bool bias, const size_t size[3])
{
    float x[3 * 64], y[3 * 64];
    double in[3 * 64], want[3 * 64];
    mo_pool *pool;
    assert_true(size[0] * size[1] <= 3 * 64 && size[0] * size[2] <= 3 * 64);
    test_random(x, size[0] * size[2], 4);
    for (size_t i = 0; i < size[0] * size[2]; i++) in[i] = (double)x[i];
    assert_ok(mo_pool_create(&pool, 1));
    mo_linear_fwd(pool, y, x, l, &(mo_linear_call){.rows = size[0]});
    mo_pool_free(pool);
    plain_linear(want, in, weights, stem, bias, size);
    return plain_worst(y, want, size[0] * size[1]);
}

static void linear_layers_are_packed_with_or_without_bias(void **state)
{
    (void)state;
    static const struct {
        const char *stem;
        bool bias;
        size_t n, k;
    } cases[] = {{"text_projection", false, 12, 20}, {"visual_projection", false, 12, 24},
        {"text_model.encoder.layers.0.mlp.fc1", true, 36, 20},
        {"vision_model.encoder.layers.1.mlp.fc2", true, 24, 40}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int quantized = 0; quantized < 2; quantized++) {
            mo_linear l;
            memset(&l, 0, sizeof l);
            assert_ok(mo_tower_linear(&l, weights, cases[i].stem, cases[i].bias, (mo_precision)quantized));
            assert_int_equal(l.w.n, cases[i].n);
            assert_int_equal(l.w.k, cases[i].k);
            assert_int_equal(l.bias != NULL, cases[i].bias);
            const double off =
                linear_off(&l, cases[i].stem, cases[i].bias, (size_t[]){3, cases[i].n, cases[i].k});
            if (!(off < (quantized ? 0.03 : 1e-5))) fail_msg("%s: off by %g", cases[i].stem, off);
            mo_linear_free(&l);
        }
    }
    mo_linear l;
    assert_fails(mo_tower_linear(&l, weights, "text_projection", true, false), MOPD_E_INTERNAL,
        "text_projection.bias");
}

/* One block of each layer, in their order: the last differs from the first. */
static void blocks_are_those_of_the_layers(void **state)
{
    (void)state;
    enum { ROWS = 5, W = 24 };
    mo_block *blocks;
    assert_ok(mo_tower_blocks(&blocks, weights, "vision_model", &config.vit.stack, false));
    for (uint32_t i = 0; i < 2; i++) {
        char prefix[60];
        float x[ROWS * W], y[ROWS * W];
        double want[ROWS * W];
        mo_pool *pool;
        mo_arena arena = {0};
        mo_block_work work;
        mo_rows rows = {.rows = ROWS, .n_seqs = 1, .seq_len = ROWS};
        assert_ok(mo_pool_create(&pool, 1));
        const mo_block_size size = {.rows = ROWS, .longest = ROWS, .pool = pool};
        for (int pass = 0; pass < 2; pass++) {
            mo_block_work_take(&work, &arena, &blocks[i], &size);
            if (!pass) assert_ok(mo_arena_open(&arena));
        }
        test_random(x, ROWS * W, 8);
        for (int k = 0; k < ROWS * W; k++) want[k] = (double)x[k];
        mo_block_fwd(&blocks[i], y, x, &(mo_block_run){.pool = pool, .rows = &rows, .work = &work});
        snprintf(prefix, sizeof prefix, "vision_model.encoder.layers.%u", i);
        plain_block(want, ROWS, weights, prefix, &config.vit.stack);
        const double off = plain_worst(y, want, ROWS * W);
        if (!(off < 1e-5)) fail_msg("layer %u: off by %g", i, off);
        mo_arena_close(&arena);
        mo_pool_free(pool);
    }
    mo_tower_blocks_free(blocks, 2);
    mo_tower_blocks_free(NULL, 7);
}

static void a_layer_too_many_is_named(void **state)
{
    (void)state;
    mo_stack_config s = config.text.stack;
    mo_block *blocks = NULL;
    s.layers = 3;
    assert_fails(mo_tower_blocks(&blocks, weights, "text_model", &s, false), MOPD_E_INTERNAL,
        "text_model.encoder.layers.2.layer_norm1.weight was never bound");
    assert_null(blocks);
}

/* A width that is not the parameters': the layer and the two numbers are named. */
static void shapes_that_disagree_name_the_layer(void **state)
{
    (void)state;
    mo_stack_config s = config.text.stack;
    mo_block *blocks = NULL;
    s.width = 24;
    assert_fails(
        mo_tower_blocks(&blocks, weights, "text_model", &s, false), MOPD_E_MISMATCH, "text_model, layer 0");
    assert_non_null(strstr(mopd_last_error(), "20"));
    s = config.text.stack;
    s.heads = 3;
    assert_fails(mo_tower_blocks(&blocks, weights, "text_model", &s, false), MOPD_E_MISMATCH,
        "width 20 cannot be split into 3 heads");
    assert_null(blocks);
}

static mopd_status pack_everything(const mo_config *c, const mo_weights *w)
{
    mo_block *blocks = NULL;
    mo_linear l = {0};
    mo_norm norm;
    float *block = NULL, *x = NULL;
    mopd_status st = mo_tower_floats(&x, w, "logit_scale");
    if (st == MOPD_OK) st = mo_tower_norm(&block, &norm, w, "text_model.final_layer_norm", 1e-5f);
    if (st == MOPD_OK) st = mo_tower_linear(&l, w, "text_projection", false, false);
    if (st == MOPD_OK) st = mo_tower_blocks(&blocks, w, "text_model", &c->text.stack, false);
    mo_tower_blocks_free(blocks, c->text.stack.layers);
    mo_linear_free(&l);
    mo_mem_free(block);
    mo_mem_free(x);
    return st;
}

static void packing_survives_failing_memory(void **state)
{
    (void)state;
    const mo_config c = tower_config();
    test_torture(tower_run, &(tower_torture){tower_write("torture.safetensors", &c, 1), &c, pack_everything});
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest alone[] = {
        cmocka_unit_test(packing_survives_failing_memory),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_all_of_a_parameter),
        cmocka_unit_test(norms_hold_scale_and_shift),
        cmocka_unit_test(linear_layers_are_packed_with_or_without_bias),
        cmocka_unit_test(blocks_are_those_of_the_layers),
        cmocka_unit_test(a_layer_too_many_is_named),
        cmocka_unit_test(shapes_that_disagree_name_the_layer),
    };
    const int failed = cmocka_run_group_tests(alone, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, open_weights, close_weights);
}
