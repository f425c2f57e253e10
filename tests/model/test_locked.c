/* SPDX-License-Identifier: MIT
 * test_locked.c - the folder of a locked tower: which EfficientNet-Lite its file holds, and the three files
 * that must agree. */
#include "test.h"

#include "support/folders.h"
#include "support/towers.h"

static mo_tensors *gold;

static int open_gold(void **state)
{
    (void)state;
    assert_ok(mo_tensors_open(&gold, FOLDERS_GOLD "locked/efficientnet-lite0-tiny.pth", true));
    return 0;
}

static int close_gold(void **state)
{
    (void)state;
    mo_tensors_close(gold);
    return 0;
}

/* Tensors whose names begin so are left out. */
static const char *dropped;

static const char *keep(const char *name)
{
    return strncmp(name, dropped, strlen(dropped)) ? name : NULL;
}

/* The golden folder with an image tower that lacks something. */
static const char *without(const char *prefix)
{
    const char *folder = folder_of("locked");
    dropped = prefix;
    folder_drop(folder, "efficientnet-lite0-tiny.pth");
    folder_write_torch(folder, "efficientnet-lite0.pth", gold, keep);
    return folder;
}

static void the_blocks_are_read_off_the_shapes(void **state)
{
    (void)state;
    /* in, expand, out, kernel, stride: channels change where a stage begins */
    static const mo_effnet_block want[] = {{32, 32, 6, 3, 1}, {6, 12, 7, 3, 2}, {7, 14, 7, 3, 1},
        {7, 21, 9, 5, 2}, {9, 27, 9, 5, 1}, {9, 18, 10, 3, 2}, {10, 20, 10, 3, 1}, {10, 20, 10, 3, 1},
        {10, 20, 12, 5, 1}, {12, 24, 12, 5, 1}, {12, 24, 12, 5, 1}, {12, 24, 13, 5, 2}, {13, 26, 13, 5, 1},
        {13, 26, 13, 5, 1}, {13, 26, 13, 5, 1}, {13, 39, 14, 3, 1}};
    mopd_encoder *e = folder_open(without("nothing"), 1), *same = folder_open(FOLDERS_GOLD "locked", 1);
    const mo_effnet_config *c = &e->config.effnet;
    assert_int_equal(c->n_blocks, 16);
    assert_memory_equal(c->block, want, sizeof want);
    assert_int_equal(c->stem, 32);
    assert_int_equal(c->features, 31);
    assert_int_equal(c->classes, 9);
    assert_true(c->eps == 1e-3);
    assert_int_equal(e->config.image, 224);
    assert_int_equal(e->config.dim, 12);
    assert_string_equal(e->fingerprint, same->fingerprint);
    mo_pixels pixels;
    mo_pixels_effnet(&pixels, 224);
    assert_memory_equal(&e->config.pixels, &pixels, sizeof pixels);
    mo_encoder_close(same);
    mo_encoder_close(e);
}

static void what_is_no_effnet_lite_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *without;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"_conv_stem", MOPD_E_FORMAT, "no EfficientNet: _conv_stem, _conv_head or _fc is missing"},
        {"_conv_head", MOPD_E_FORMAT, "_conv_head or _fc is missing"},
        {"_fc.weight", MOPD_E_FORMAT, "_fc is missing"},
        {"_blocks.0.", MOPD_E_UNSUPPORTED, "0 stages: no EfficientNet-Lite"},
        {"_blocks.15", MOPD_E_UNSUPPORTED, "6 stages: no EfficientNet-Lite"},
        {"_blocks.3.", MOPD_E_UNSUPPORTED, "2 stages: no EfficientNet-Lite"},
        {"_blocks.2._project_conv", MOPD_E_FORMAT, "block 2 has no depthwise or no projecting convolution"},
        {"_blocks.2._expand_conv", MOPD_E_UNSUPPORTED, "more than 7 stages: no EfficientNet-Lite"},
        {"_fc.bias", MOPD_E_MISMATCH, "tensor _fc.bias is missing"},
        {"_blocks.5._bn2.running_var", MOPD_E_MISMATCH, "tensor _blocks.5._bn2.running_var is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const mopd_status st = folder_try(without(cases[i].without));
        if (st != cases[i].st || !strstr(mopd_last_error(), cases[i].words))
            fail_msg("without %s: %s: %s", cases[i].without, mopd_status_name(st), mopd_last_error());
        assert_non_null(strstr(mopd_last_error(), "efficientnet-lite0.pth"));
    }
}

/* ---- members of the family ---- */

static const char *of_image(const char *name)
{
    return strncmp(name, "image_model.", 12) ? NULL : name + 12;
}

static const char *of_head(const char *name)
{
    return strncmp(name, "head.", 5) ? NULL : name + 5;
}

static const char *of_text(const char *name)
{
    return strncmp(name, "image_model.", 12) && strncmp(name, "head.", 5) ? name : NULL;
}

/* A folder of random weights for a configuration. */
static const char *folder_for(const mo_config *c)
{
    mo_tensors *t;
    const char *folder = folder_of("locked");
    folder_drop(folder, "efficientnet-lite0-tiny.pth");
    assert_ok(mo_tensors_open(&t, tower_write("all.safetensors", c, 1), true));
    folder_write_torch(folder, "efficientnet-lite9.pth", t, of_image);
    folder_write_safetensors(folder, "projection.safetensors", t, of_head);
    folder_write_safetensors(folder, "text.safetensors", t, of_text);
    mo_tensors_close(t);
    return folder;
}

/* The side each was made for, by its last channels, or by its number of blocks. */
static void sides_follow_the_family(void **state)
{
    (void)state;
    static const struct {
        uint32_t last, n_blocks, side;
    } cases[] = {
        {14, 16, 224}, {14, 21, 240}, {352, 16, 260}, {384, 16, 280}, {448, 16, 300}, {448, 21, 300}};
    mopd_encoder *e = folder_open(FOLDERS_GOLD "locked", 1);
    mo_config c = e->config;
    mo_encoder_close(e);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_effnet_block *last = &c.effnet.block[15];
        c.effnet.n_blocks = cases[i].n_blocks;
        last->out = cases[i].last;
        for (uint32_t k = 16; k < c.effnet.n_blocks; k++)
            c.effnet.block[k] = (mo_effnet_block){last->out, last->out * 2, last->out, 3, 1};
        e = folder_open(folder_for(&c), 1);
        assert_int_equal(e->config.image, cases[i].side);
        assert_int_equal(e->config.effnet.n_blocks, cases[i].n_blocks);
        assert_memory_equal(
            e->config.effnet.block, c.effnet.block, c.effnet.n_blocks * sizeof *c.effnet.block);
        mo_encoder_close(e);
    }
}

/* The first file of the name in byte order is taken. */
static void the_first_tower_of_the_folder_is_taken(void **state)
{
    (void)state;
    const char *folder = folder_of("locked");
    folder_write_text(folder, "efficientnet-lite4.pth", "another");
    assert_ok(folder_try(folder));
    folder_write_text(folder, "efficientnet-lite.pth", "not one either");
    assert_fails(
        folder_try(folder), MOPD_E_FORMAT, "efficientnet-lite.pth: a text, where weights are wanted");
    folder_drop(folder, "efficientnet-lite.pth");
    folder_rename(folder, "efficientnet-lite0-tiny.pth", "efficientnet-lite0-tiny.pt");
    assert_fails(folder_try(folder), MOPD_E_FORMAT, "efficientnet-lite4.pth");
    folder_drop(folder, "efficientnet-lite4.pth");
    assert_fails(
        folder_try(folder), MOPD_E_IO, "/efficientnet-lite*.pth: no such file: the image tower is missing");
}

static void opening_survives_failing_memory(void **state)
{
    (void)state;
    static char path[] = FOLDERS_GOLD "locked";
    test_torture(folder_torture, path);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest alone[] = {
        cmocka_unit_test(opening_survives_failing_memory),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_blocks_are_read_off_the_shapes),
        cmocka_unit_test(what_is_no_effnet_lite_is_named),
        cmocka_unit_test(sides_follow_the_family),
        cmocka_unit_test(the_first_tower_of_the_folder_is_taken),
    };
    const int failed = cmocka_run_group_tests(alone, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, open_gold, close_gold);
}
