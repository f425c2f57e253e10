/* SPDX-License-Identifier: MIT
 * test_weights.c - parameters bound to what files hold: whole, in parts, turned round, in several files; and
 * everything that does not fit. */
#include "test.h"

#include "clip/weights.h"
#include "support/towers.h"

/* ---- files ---- */

typedef struct tensor {
    const char *name;
    mo_dtype dtype;
    int n_dims;
    size_t shape[4];
} tensor;

/* Zeros of the shapes asked for, in a file of its own. */
static mo_tensors *make_file(const char *name, const tensor *t, size_t n)
{
    static const unsigned char zeros[16384];
    mo_safetensors_writer *w;
    mo_tensors *out;
    assert_ok(mo_safetensors_writer_create(&w));
    for (size_t i = 0; i < n; i++)
        assert_ok(mo_safetensors_writer_tensor(w, t[i].name, t[i].dtype, t[i].n_dims, t[i].shape));
    assert_ok(mo_safetensors_writer_begin(w, test_path(name)));
    for (size_t i = 0; i < n; i++) {
        size_t bytes = mo_dtype_size(t[i].dtype);
        for (int d = 0; d < t[i].n_dims; d++) bytes *= t[i].shape[d];
        assert_true(bytes <= sizeof zeros);
        assert_ok(mo_safetensors_writer_write(w, zeros, bytes));
    }
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    assert_ok(mo_tensors_open(&out, test_path(name), false));
    return out;
}

static void parameters_are_found_under_their_names(void **state)
{
    (void)state;
    const mo_config configs[] = {
        tower_config(), tower_effnet_config(), tower_resnet_config(), tower_siglip_config()};
    for (int k = 0; k < 4; k++) {
        const mo_config *c = &configs[k];
        tower_list l = tower_params(c);
        mo_weights *w = tower_weights(c, 30);
        uint64_t numbers = 0;
        assert_int_equal(mo_weights_count(w), l.n);
        for (size_t i = 0; i < l.n; i++) {
            const mo_weight *p;
            const size_t n = tower_numbers(&l.spec[i]);
            float *want = malloc(n * sizeof *want), *got = malloc(n * sizeof *got);
            assert_ok(mo_weights_get(w, l.spec[i].name, &p));
            assert_ptr_equal(p, mo_weights_at(w, i));
            assert_string_equal(p->name, l.spec[i].name);
            assert_int_equal(p->n_dims, l.spec[i].n_dims);
            assert_memory_equal(p->shape, l.spec[i].shape, (size_t)p->n_dims * sizeof *p->shape);
            assert_false(p->in_out);
            tower_fill(want, &l.spec[i], 30 + (uint32_t)i);
            mo_weights_floats(p, 0, n, got);
            assert_memory_equal(want, got, n * sizeof *got);
            mo_weights_release(w, p);
            mo_weights_floats(p, n - 1, 1, got);
            assert_true(*got == want[n - 1]);
            numbers += n;
            free(want);
            free(got);
        }
        assert_int_equal(mo_weights_parameters(w), numbers);
        assert_int_equal(mo_weights_bytes(w), numbers * sizeof(float));
        free(l.spec);
        mo_weights_free(w);
    }
    mo_weights_free(NULL);
}

static void unknown_parameters_are_a_failure_of_ours(void **state)
{
    (void)state;
    const mo_config c = tower_config();
    mo_weights *w = tower_weights(&c, 1);
    const mo_weight *p;
    assert_fails(mo_weights_get(w, "head.mix", &p), MOPD_E_INTERNAL, "parameter head.mix was never bound");
    assert_fails(mo_weights_get(w, "", &p), MOPD_E_INTERNAL, "was never bound");
    mo_weights_free(w);
}

/* ---- other names, parts, turned round ---- */

/* Queries, keys and values in one tensor, the projections turned round, everything else under a prefix. */
static const mo_naming_rule rules[] = {
    {"text_model.encoder.layers.*.self_attn.q_proj.weight", "t.*.qkv", 0, 3, false},
    {"text_model.encoder.layers.*.self_attn.k_proj.weight", "t.*.qkv", 1, 3, false},
    {"text_model.encoder.layers.*.self_attn.v_proj.weight", "t.*.qkv", 2, 3, false},
    {"text_model.encoder.layers.*.self_attn.k_proj.bias", "t.*.kv_bias", 0, 2, false},
    {"text_model.encoder.layers.*.self_attn.v_proj.bias", "t.*.kv_bias", 1, 2, false},
    {"text_projection.weight", "turned", 0, 0, true},
    {"*", "m.*", 0, 0, false},
};
static const mo_naming renamed = {.rule = rules, .n_rules = sizeof rules / sizeof *rules};

/* Writes the parameters as `renamed` stores them, of random numbers; parts come in the order q, k, v of params.h. */
static const char *write_renamed(const mo_config *c, uint32_t seed)
{
    const char *path = test_path("renamed.safetensors");
    tower_list l = tower_params(c);
    mo_safetensors_writer *w;
    assert_ok(mo_safetensors_writer_create(&w));
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < l.n; i++) {
            mo_naming_place at;
            mo_naming_find(&at, &renamed, l.spec[i].name);
            if (at.part > 0) continue;
            size_t shape[4], n = tower_numbers(&l.spec[i]);
            memcpy(shape, l.spec[i].shape, sizeof shape);
            if (at.parts) shape[0] *= (size_t)at.parts, n *= (size_t)at.parts;
            if (at.in_out) shape[0] = l.spec[i].shape[1], shape[1] = l.spec[i].shape[0];
            if (pass == 0) {
                assert_ok(mo_safetensors_writer_tensor(w, at.name, MO_F32, l.spec[i].n_dims, shape));
                continue;
            }
            float *x = malloc(n * sizeof *x);
            test_random(x, n, seed + (uint32_t)i);
            assert_ok(mo_safetensors_writer_floats(w, x, n));
            free(x);
        }
        if (pass == 0) assert_ok(mo_safetensors_writer_begin(w, path));
    }
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    free(l.spec);
    return path;
}

static size_t index_of(const mo_config *c, const char *name)
{
    tower_list l = tower_params(c);
    size_t i = 0;
    while (strcmp(l.spec[i].name, name) != 0) i++;
    free(l.spec);
    return i;
}

static void parts_are_views_into_the_whole(void **state)
{
    (void)state;
    enum { W = 20 };
    static const char *const names[] = {"q", "k", "v"};
    const mo_config c = tower_config();
    mo_weights *w = tower_open(write_renamed(&c, 5));
    float all[3 * W * W], got[W * W];
    assert_ok(mo_weights_bind(w, &c, &renamed));
    test_random(
        all, 3 * W * W, 5 + (uint32_t)index_of(&c, "text_model.encoder.layers.1.self_attn.q_proj.weight"));
    const mo_view *whole = mo_weights_raw(w, "t.1.qkv");
    assert_int_equal(whole->n, 3 * W * W);
    for (size_t i = 0; i < 3; i++) {
        char name[80];
        const mo_weight *p;
        snprintf(name, sizeof name, "text_model.encoder.layers.1.self_attn.%s_proj.weight", names[i]);
        assert_ok(mo_weights_get(w, name, &p));
        assert_int_equal(p->view.n, W * W);
        assert_int_equal(p->view.shape[0], W);
        assert_ptr_equal(p->view.data, (const float *)whole->data + i * W * W);
        mo_weights_floats(p, 0, W * W, got);
        assert_memory_equal(got, all + i * W * W, sizeof got);
    }
    const mo_weight *k, *v;
    assert_ok(mo_weights_get(w, "text_model.encoder.layers.0.self_attn.k_proj.bias", &k));
    assert_ok(mo_weights_get(w, "text_model.encoder.layers.0.self_attn.v_proj.bias", &v));
    assert_ptr_equal(v->view.data, (const float *)k->view.data + W);
    mo_weights_free(w);
}

/* [inputs][outputs] in the file, read as [outputs][inputs] from any element on. */
static void turned_matrices_are_read_in_our_order(void **state)
{
    (void)state;
    enum { D = 12, W = 20 };
    const mo_config c = tower_config();
    mo_weights *w = tower_open(write_renamed(&c, 5));
    float stored[W * D], got[D * W];
    const mo_weight *p;
    assert_ok(mo_weights_bind(w, &c, &renamed));
    test_random(stored, W * D, 5 + (uint32_t)index_of(&c, "text_projection.weight"));
    assert_ok(mo_weights_get(w, "text_projection.weight", &p));
    assert_true(p->in_out);
    assert_int_equal(p->view.shape[0], W);
    assert_int_equal(p->shape[0], D);
    mo_weights_floats(p, 0, D * W, got);
    for (size_t o = 0; o < D; o++)
        for (size_t i = 0; i < W; i++) assert_true(got[o * W + i] == stored[i * D + o]);
    for (size_t first = 0; first < D * W; first += 7) {
        float some[9];
        const size_t n = D * W - first < 9 ? D * W - first : 9;
        mo_weights_floats(p, first, n, some);
        assert_memory_equal(some, got + first, n * sizeof *some);
    }
    mo_weights_free(w);
}

static void messages_show_the_stored_names(void **state)
{
    (void)state;
    mo_config c = tower_config();
    mo_weights *w = tower_open(write_renamed(&c, 5));
    c.text.stack.width = 24;
    assert_fails(mo_weights_bind(w, &c, &renamed), MOPD_E_MISMATCH,
        "renamed.safetensors: tensor m.text_model.embeddings.token_embedding.weight has shape [50, 20]; the "
        "configuration "
        "says [50, 24]");
    mo_weights_free(w);
    c = tower_config();
    c.dim = 13;
    w = tower_open(write_renamed(&(const mo_config[]){tower_config()}[0], 5));
    assert_fails(mo_weights_bind(w, &c, &renamed), MOPD_E_MISMATCH,
        "tensor turned has shape [20, 12]; the configuration says [20, 13]");
    mo_weights_free(w);
    c = tower_config();
    w = tower_open(write_renamed(&c, 5));
    assert_fails(mo_weights_bind(w, &c, &tower_own_names), MOPD_E_MISMATCH,
        "tensor logit_scale is missing; the configuration asks for shape []");
    mo_weights_free(w);
}

/* ---- what does not fit ---- */

typedef struct change {
    const char *name;
    tensor to; /* name NULL: left out */
    mopd_status st;
    const char *words;
} change;

/* A file of all parameters with one of them changed. */
static mopd_status bind_changed(const change *ch)
{
    const mo_config c = tower_config();
    tower_list l = tower_params(&c);
    tensor *t = calloc(l.n, sizeof *t);
    size_t n = 0;
    for (size_t i = 0; i < l.n; i++) {
        t[n] = (tensor){.name = l.spec[i].name, .dtype = MO_F32, .n_dims = l.spec[i].n_dims};
        memcpy(t[n].shape, l.spec[i].shape, sizeof t[n].shape);
        if (!strcmp(t[n].name, ch->name)) t[n] = ch->to;
        n += t[n].name != NULL;
    }
    mo_weights *w;
    assert_ok(mo_weights_create(&w));
    assert_ok(mo_weights_add(w, make_file("changed.safetensors", t, n)));
    const mopd_status st = mo_weights_bind(w, &c, &tower_own_names);
    mo_weights_free(w);
    free(t);
    free(l.spec);
    return st;
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    static const change cases[] = {
        {"logit_scale", {NULL, 0, 0, {0}}, MOPD_E_MISMATCH, "tensor logit_scale is missing"},
        {"logit_scale", {"logit_scale", MO_F32, 1, {1}}, MOPD_OK, ""},
        {"logit_scale", {"logit_scale", MO_F32, 1, {2}}, MOPD_E_MISMATCH,
            "tensor logit_scale has shape [2]; the configuration says []"},
        {"logit_scale", {"logit_scale", MO_I64, 0, {0}}, MOPD_E_UNSUPPORTED,
            "tensor logit_scale is I64; F32, F16, BF16 or F64 can be used"},
        {"logit_scale", {"logit_scale", MO_F64, 0, {0}}, MOPD_OK, ""},
        {"text_projection.weight", {"text_projection.weight", MO_F16, 2, {12, 20}}, MOPD_OK, ""},
        {"text_projection.weight", {"text_projection.weight", MO_BF16, 2, {12, 20}}, MOPD_OK, ""},
        {"text_projection.weight", {"text_projection.weight", MO_I8, 2, {12, 20}}, MOPD_E_UNSUPPORTED,
            "is I8"},
        {"text_projection.weight", {"text_projection.weight", MO_F32, 2, {20, 12}}, MOPD_E_MISMATCH,
            "has shape [20, 12]; the configuration says [12, 20]"},
        {"text_projection.weight", {"text_projection.weight", MO_F32, 1, {240}}, MOPD_E_MISMATCH,
            "has shape [240]; the configuration says [12, 20]"},
        {"text_projection.weight", {"text_projection.weight", MO_F32, 3, {12, 20, 1}}, MOPD_E_MISMATCH,
            "has shape [12, 20, 1]"},
        {"visual_projection.weight", {"visual_projection.weights", MO_F32, 2, {12, 24}}, MOPD_E_MISMATCH,
            "tensor visual_projection.weight is missing; the configuration asks for shape [12, 24]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const mopd_status st = bind_changed(&cases[i]);
        if (st != cases[i].st || (st != MOPD_OK && !strstr(mopd_last_error(), cases[i].words)))
            fail_msg("case %zu: %s: %s", i, mopd_status_name(st), mopd_last_error());
        if (st != MOPD_OK) assert_non_null(strstr(mopd_last_error(), "changed.safetensors: "));
    }
}

/* A second file with one tensor more. */
static void tensors_left_over_are_named(void **state)
{
    (void)state;
    static const char *const ignored[] = {"*.position_ids"};
    const mo_naming naming = {.ignored = ignored, .n_ignored = 1};
    static const struct {
        const char *name;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"logit_bias", MOPD_OK, "logit_bias"},
        {"text_model.position_ids", MOPD_OK, NULL},
        {"position_ids", MOPD_OK, "position_ids"},
        {"text_model.encoder.layers.2.layer_norm1.bias", MOPD_E_MISMATCH,
            "more.safetensors: tensor text_model.encoder.layers.2.layer_norm1.bias belongs to a layer the "
            "configuration does "
            "not have"},
        {"text_model.encoder.layers.17.layer_norm1.bias", MOPD_E_MISMATCH, "belongs to a layer"},
        {"text_model.encoder.layers.2.layer_norm3.bias", MOPD_E_UNSUPPORTED, "has no place"},
        {"text_model.encoder.layers.1.gamma", MOPD_E_UNSUPPORTED, "has no place"},
        {"text_model.encoder.layers.1.self_attn.q_proj.lora.weight", MOPD_E_UNSUPPORTED, "has no place"},
        {"visual_projection.bias", MOPD_E_UNSUPPORTED,
            "more.safetensors: tensor visual_projection.bias has no place in this architecture"},
        {"text_model.encoder.layers.2x.layer_norm1.bias", MOPD_OK,
            "text_model.encoder.layers.2x.layer_norm1.bias"},
        {"layers.2.layer_norm1.bias", MOPD_OK, "layers.2.layer_norm1.bias"},
        {"2.text_projection.weight", MOPD_OK, "2.text_projection.weight"},
    };
    const mo_config c = tower_config();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tensor more = {cases[i].name, MO_F32, 1, {2}};
        mo_weights *w = tower_open(tower_write("tower.safetensors", &c, 1));
        assert_ok(mo_weights_add(w, make_file("more.safetensors", &more, 1)));
        const mopd_status st = mo_weights_bind(w, &c, &naming);
        if (st != cases[i].st || (st != MOPD_OK && !strstr(mopd_last_error(), cases[i].words)))
            fail_msg("%s: %s: %s", cases[i].name, mopd_status_name(st), mopd_last_error());
        if (st == MOPD_OK) {
            assert_int_equal(mo_weights_n_extra(w), cases[i].words != NULL);
            if (cases[i].words) assert_string_equal(mo_weights_extra(w, 0), cases[i].words);
        }
        mo_weights_free(w);
    }
}

/* A file of this library's own has what it should have and nothing else. */
static void strict_namings_refuse_what_is_left_over(void **state)
{
    (void)state;
    static const char *const ignored[] = {"*.position_ids"};
    const mo_naming naming = {.ignored = ignored, .n_ignored = 1, .strict = true};
    static const char *const names[] = {"logit_bias", "position_ids", "layers.2.layer_norm1.bias"};
    const mo_config c = tower_config();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const tensor more = {names[i], MO_F32, 1, {2}};
        mo_weights *w = tower_open(tower_write("tower.safetensors", &c, 1));
        assert_ok(mo_weights_add(w, make_file("more.safetensors", &more, 1)));
        assert_fails(
            mo_weights_bind(w, &c, &naming), MOPD_E_UNSUPPORTED, "has no place in this architecture");
        mo_weights_free(w);
    }
}

/* ---- words before every name ---- */

/* A file with logit_scale under these names. */
static mo_weights *scales(const char *a, const char *b)
{
    const tensor t[] = {{a, MO_F32, 0, {0}}, {b, MO_F32, 0, {0}}};
    mo_weights *w;
    assert_ok(mo_weights_create(&w));
    assert_ok(mo_weights_add(w, make_file("scales.safetensors", t, b ? 2 : 1)));
    return w;
}

static void words_of_training_are_taken_off(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *prefix;
    } cases[] = {
        {"logit_scale", NULL, ""},
        {"module.logit_scale", NULL, "module."},
        {"_orig_mod.logit_scale", NULL, "_orig_mod."},
        {"model.logit_scale", "optimizer.logit_scale", "model."},
        {"state_dict.module._orig_mod.logit_scale", NULL, "state_dict.module._orig_mod."},
        {"model_state_dict.logit_scale", "ema.logit_scale", "model_state_dict."},
        {"logit_scale", "module.logit_scale", ""},
        {"clip.logit_scale", NULL, ""},
        {"modulelogit_scale", NULL, ""},
        {".logit_scale", NULL, ""},
        {"module..logit_scale", NULL, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_weights *w = scales(cases[i].a, cases[i].b);
        assert_ok(mo_weights_unwrap(w));
        if (strcmp(mo_weights_prefix(w), cases[i].prefix) != 0)
            fail_msg("%s: \"%s\" is taken off", cases[i].a, mo_weights_prefix(w));
        if (*cases[i].prefix) {
            assert_non_null(mo_weights_raw(w, "logit_scale"));
            assert_null(mo_weights_raw(w, cases[i].a));
        }
        mo_weights_free(w);
    }
    mo_weights *w = scales("model.logit_scale", "state_dict.logit_scale");
    assert_fails(mo_weights_unwrap(w), MOPD_E_FORMAT,
        "scales.safetensors: weights of two models: model.logit_scale and state_dict.logit_scale");
    mo_weights_free(w);
}

/* ---- several files ---- */

/* The first file that has a tensor is asked; the one with the other copy has it left over. */
static void the_first_file_wins(void **state)
{
    (void)state;
    const mo_config c = tower_config();
    const tensor again = {"logit_scale", MO_F32, 0, {0}};
    mo_weights *w = tower_open(tower_write("tower.safetensors", &c, 1));
    assert_ok(mo_weights_add(w, make_file("again.safetensors", &again, 1)));
    const mo_view *v = mo_weights_raw(w, "logit_scale");
    float x = -1;
    assert_true(mo_view_floats(v, 0, 1, &x) && x != 0);
    assert_null(mo_weights_raw(w, "logit_bias"));
    assert_fails(mo_weights_bind(w, &c, &tower_own_names), MOPD_E_UNSUPPORTED,
        "again.safetensors: tensor logit_scale has no place");
    mo_weights_free(w);
}

static void there_are_only_so_many_files(void **state)
{
    (void)state;
    const tensor one = {"x", MO_U8, 0, {0}};
    mo_weights *w;
    assert_ok(mo_weights_create(&w));
    mo_tensors_close(make_file("one.safetensors", &one, 1));
    for (int i = 0; i <= 256; i++) {
        mo_tensors *t;
        assert_ok(mo_tensors_open(&t, test_path("one.safetensors"), true));
        if (i < 256)
            assert_ok(mo_weights_add(w, t));
        else
            assert_fails(
                mo_weights_add(w, t), MOPD_E_UNSUPPORTED, "one.safetensors: more than 256 weight files");
    }
    mo_weights_free(w);
}

static mopd_status nothing(const mo_config *c, const mo_weights *w)
{
    return mo_weights_count(w) && c ? MOPD_OK : MOPD_E_INTERNAL;
}

static void binding_survives_failing_memory(void **state)
{
    (void)state;
    const mo_config c = tower_config();
    test_torture(tower_run, &(tower_torture){tower_write("torture.safetensors", &c, 1), &c, nothing});
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_found_under_their_names),
        cmocka_unit_test(unknown_parameters_are_a_failure_of_ours),
        cmocka_unit_test(parts_are_views_into_the_whole),
        cmocka_unit_test(turned_matrices_are_read_in_our_order),
        cmocka_unit_test(messages_show_the_stored_names),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(tensors_left_over_are_named),
        cmocka_unit_test(strict_namings_refuse_what_is_left_over),
        cmocka_unit_test(words_of_training_are_taken_off),
        cmocka_unit_test(the_first_file_wins),
        cmocka_unit_test(there_are_only_so_many_files),
        cmocka_unit_test(binding_survives_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
