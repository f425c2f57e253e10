/* SPDX-License-Identifier: MIT
 * test_published.c - the largest published model of each family fits into the limit tower_memory: one picture and one text
 * of full length, with one thread and with many.
 *
 * Towers are as wide as published and have one layer in each stage, as working memory is the same for any number of them.
 * Their weights are zeros that take no room on the disk. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "clip/text.h"
#include "clip/vision.h"
#include "support/towers.h"

#define LAYERS 1
#define VOCAB 1000 /* its table stays where it is */

static mo_stack_config stack(uint32_t width, uint32_t heads, uint32_t hidden)
{
    return (mo_stack_config){width, LAYERS, heads, hidden, MO_ACT_GELU, 1e-5};
}

/* Side, patch, width, heads, hidden; D; of the text tower width, heads, hidden, longest text. */
#define VITS(X)                                                                                              \
    X("CLIP L/14 at 336", MO_VIT_CLIP, 336, 14, 1024, 16, 4096, 768, 768, 12, 3072, 77)                      \
    X("CLIP H/14", MO_VIT_CLIP, 224, 14, 1280, 16, 5120, 1024, 1024, 16, 4096, 77)                           \
    X("DFN5B H/14 at 378", MO_VIT_CLIP, 378, 14, 1280, 16, 5120, 1024, 1024, 16, 4096, 77)                   \
    X("CLIP g/14", MO_VIT_CLIP, 224, 14, 1408, 16, 6144, 1024, 1024, 16, 4096, 77)                           \
    X("CLIP bigG/14", MO_VIT_CLIP, 224, 14, 1664, 16, 8192, 1280, 1280, 20, 5120, 77)                        \
    X("MobileCLIP2-B", MO_VIT_MOBILECLIP, 224, 16, 768, 12, 3072, 512, 512, 8, 2048, 77)                     \
    X("MobileCLIP2-L/14", MO_VIT_TIMM, 224, 14, 1024, 16, 4096, 768, 768, 12, 3072, 77)                      \
    X("SigLIP L/16 at 384", MO_VIT_SIGLIP, 384, 16, 1024, 16, 4096, 1024, 1024, 16, 4096, 64)                \
    X("SigLIP So400m/14 at 384", MO_VIT_SIGLIP, 384, 14, 1152, 16, 4304, 1152, 1152, 16, 4304, 64)           \
    X("SigLIP 2 L/16 at 512", MO_VIT_SIGLIP, 512, 16, 1024, 16, 4096, 1024, 1024, 16, 4096, 64)              \
    X("SigLIP 2 So400m/16 at 512", MO_VIT_SIGLIP, 512, 16, 1152, 16, 4304, 1152, 1152, 16, 4304, 64)         \
    X("SigLIP 2 g-opt/16 at 384", MO_VIT_SIGLIP, 384, 16, 1536, 16, 6144, 1536, 1152, 16, 4304, 64)          \
    X("PE-Core L/14 at 336", MO_VIT_PE, 336, 14, 1024, 16, 4096, 1024, 1024, 16, 4096, 32)                   \
    X("PE-Core G/14 at 448", MO_VIT_PE, 448, 14, 1536, 16, 8960, 1280, 1280, 20, 5120, 72)

static mo_config config_of(uint32_t dim, uint32_t side, mo_stack_config text, uint32_t context)
{
    mo_config c = {.dim = dim, .image = side};
    c.text.stack = text;
    c.text.context = context;
    c.text.vocab = VOCAB;
    mo_pixels_openai(&c.pixels, side);
    return c;
}

static mo_config vit(uint32_t form, const uint32_t n[10])
{
    mo_config c = config_of(n[5], n[0], stack(n[6], n[7], n[8]), n[9]);
    const bool siglip = form == MO_VIT_SIGLIP;
    c.vision_kind = MO_VISION_VIT;
    c.vit = (mo_vit_config){stack(n[2], n[3], n[4]), n[1], form};
    c.logit_bias = c.text.proj_bias = siglip;
    c.text.end_rule = siglip ? MO_END_LAST : MO_END_LARGEST;
    c.text.mask = siglip || form == MO_VIT_TIMM ? MO_MASK_NONE : MO_MASK_CAUSAL;
    return c;
}

static mo_config resnet(uint32_t side, uint32_t width, uint32_t dim, uint32_t text)
{
    mo_config c = config_of(dim, side, stack(text, text / 64, 4 * text), 77);
    c.vision_kind = MO_VISION_RESNET;
    c.resnet = (mo_resnet_config){width, {LAYERS, LAYERS, LAYERS, LAYERS}, width / 2, 1e-5};
    return c;
}

static mo_config fastvit(uint32_t form, uint32_t width, uint32_t dim)
{
    mo_config c = config_of(dim, 256, stack(dim, dim / 64, 4 * dim), 77);
    c.vision_kind = MO_VISION_FASTVIT;
    c.text.mask = MO_MASK_NONE;
    c.fastvit = (mo_fastvit_config){.form = form,
        .n_stages = form == MO_FASTVIT_LARGE ? 5 : 4,
        .layers = {LAYERS, LAYERS, LAYERS, LAYERS, LAYERS},
        .width = {width, 2 * width, 4 * width, 8 * width, 16 * width},
        .ratio = form == MO_FASTVIT_LARGE ? 4 : 3,
        .eps = 1e-5};
    return c;
}

/* EfficientNet-Lite4, whose locked tower may see 380 pixels: the first of each kind of block. */
static mo_config effnet(void)
{
    static const mo_effnet_block blocks[] = {{32, 32, 24, 3, 1}, {24, 144, 32, 3, 2}, {32, 192, 56, 5, 2},
        {56, 336, 112, 3, 2}, {112, 672, 160, 5, 1}, {160, 960, 272, 5, 2}, {272, 1632, 448, 3, 1}};
    mo_config c = config_of(512, 380, stack(512, 8, 2048), 77);
    c.vision_kind = MO_VISION_EFFNET;
    c.effnet = (mo_effnet_config){.stem = 32, .features = 1280, .classes = 1000, .eps = 1e-3};
    c.effnet.n_blocks = sizeof blocks / sizeof *blocks;
    memcpy(c.effnet.block, blocks, sizeof blocks);
    mo_pixels_effnet(&c.pixels, c.image);
    return c;
}

/* ---- weights of zeros ---- */

static size_t describe(mo_buf *header, const tower_list *l)
{
    size_t at = 0;
    for (size_t i = 0; i < l->n; i++) {
        const mo_param_spec *s = l->spec + i;
        const size_t n = tower_numbers(s) * sizeof(float);
        assert_ok(mo_buf_addf(header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", i ? "," : "{", s->name));
        for (int d = 0; d < s->n_dims; d++)
            assert_ok(mo_buf_addf(header, "%s%zu", d ? "," : "", s->shape[d]));
        assert_ok(mo_buf_addf(header, "],\"data_offsets\":[%zu,%zu]}", at, at + n));
        at += n;
    }
    assert_ok(mo_buf_adds(header, "}"));
    return at;
}

static mo_weights *zero_weights(const mo_config *config)
{
    tower_list l = tower_params(config);
    mo_buf header = {0};
    const size_t n_data = describe(&header, &l);
    const uint64_t n = header.size;
    const char *path = test_path("zeros.safetensors");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(&n, sizeof n, 1, f), 1);
    assert_int_equal(fwrite(header.data, 1, header.size, f), header.size);
    assert_false(fflush(f));
    assert_false(ftruncate(fileno(f), (off_t)(sizeof n + header.size + n_data)));
    fclose(f);
    mo_buf_free(&header);
    free(l.spec);
    mo_weights *w = tower_open(path);
    assert_ok(mo_weights_bind(w, config, &tower_own_names));
    return w;
}

/* ---- what they take ---- */

static size_t picture_bytes(const mo_config *config, const mo_weights *w, mo_pool *const pool[2])
{
    mo_vision *v;
    assert_ok(mo_vision_create(&v, config, w, false));
    assert_ok(v->prepare(v));
    size_t bytes = 0;
    for (int i = 0; i < 2; i++)
        if (v->bytes(v, pool[i], 1) > bytes) bytes = v->bytes(v, pool[i], 1);
    mo_vision_free(v);
    return bytes;
}

static size_t text_bytes(const mo_config *config, const mo_weights *w, mo_pool *const pool[2])
{
    uint32_t tokens[77];
    const size_t start[2] = {0, config->text.context};
    mo_text *text;
    mo_text_plan *plan;
    for (uint32_t i = 0; i < 77; i++) tokens[i] = i + 1 == config->text.context ? VOCAB - 1 : i;
    assert_ok(mo_text_create(&text, config, w, false));
    assert_ok(mo_text_prepare(text, false));
    assert_ok(mo_text_plan_create(&plan, text, tokens, start, 1));
    size_t bytes = 0;
    for (int i = 0; i < 2; i++)
        if (mo_text_bytes(text, pool[i], plan) > bytes) bytes = mo_text_bytes(text, pool[i], plan);
    mo_text_plan_free(plan);
    mo_text_free(text);
    return bytes;
}

static mo_pool *pools[2];

static void check(const char *name, mo_config config)
{
    assert_ok(mo_config_check(&config, name));
    mo_weights *w = zero_weights(&config);
    const size_t picture = picture_bytes(&config, w, pools), text = text_bytes(&config, w, pools);
    mo_weights_free(w);
    if (getenv("MOPD_SHOW"))
        printf("%-28s picture %6.1f MiB, text %6.1f MiB\n", name, (double)picture / 1048576,
            (double)text / 1048576);
    const uint64_t most = mo_limits_preset(MO_LIMIT_TOWER);
    if (picture > most) fail_msg("%s: %zu bytes for a picture, %" PRIu64 " are allowed", name, picture, most);
    if (text > most) fail_msg("%s: %zu bytes for a text, %" PRIu64 " are allowed", name, text, most);
}

static void the_largest_published_models_fit(void **state)
{
    (void)state;
#define CHECK(name, form, ...) check(name, vit(form, (const uint32_t[]){__VA_ARGS__}));
    VITS(CHECK)
    check("RN50x64", resnet(448, 128, 1024, 1024));
    check("RN50x16", resnet(384, 96, 768, 768));
    check("MobileCLIP2-S2", fastvit(MO_FASTVIT_SMALL, 80, 512));
    check("MobileCLIP2-S4", fastvit(MO_FASTVIT_LARGE, 128, 768));
    check("EfficientNet-Lite4 at 380", effnet());
}

static int open_pools(void **state)
{
    (void)state;
    assert_ok(mo_pool_create(&pools[0], 1));
    assert_ok(mo_pool_create(&pools[1], TEST_TIMES(128, 8)));
    return 0;
}

static int close_pools(void **state)
{
    (void)state;
    mo_pool_free(pools[0]);
    mo_pool_free(pools[1]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_largest_published_models_fit)};
    return cmocka_run_group_tests(tests, open_pools, close_pools);
}
