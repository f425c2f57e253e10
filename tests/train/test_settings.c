/* SPDX-License-Identifier: MIT
 * test_settings.c - the table of settings: what stands in it, that options are held to its limits, and what of
 * it hosts and headers say. */
#include "test.h"

#include "support/tiny.h"
#include "train/settings.h"

static mopd_encoder *encoder;

static const mo_setting *row_of(const char *name)
{
    const mo_setting *row;
    for (size_t i = 0; (row = mo_settings_row(i)); i++)
        if (!strcmp(row->info.name, name)) return row;
    fail_msg("no setting \"%s\"", name);
    return NULL;
}

/* Options that are right, of a method that uses the teachers' templates. */
static mopd_trainer_options right_options(void)
{
    mopd_trainer_options o = mo_settings_defaults();
    o.templates = tiny_templates;
    o.n_templates = 5;
    o.context = NULL; /* n_context may then be anything */
    return o;
}

static mopd_status read_options(const mopd_trainer_options *o)
{
    mo_settings s;
    return mo_settings_read(&s, encoder, o);
}

static void put(mopd_trainer_options *o, const mo_setting *row, const void *value)
{
    memcpy((char *)o + row->at, value, row->bytes);
}

/* The presets of release 0.1, which programs rely on. */
static void presets_are_those_of_the_release(void **state)
{
    (void)state;
    mopd_trainer_options o;
    memset(&o, 0xff, sizeof o);
    assert_ok(mopd_trainer_options_init(&o, sizeof o));
    assert_int_equal(o.struct_size, sizeof o);
    assert_int_equal(o.flags, 0);
    assert_int_equal(o.method, MOPD_METHOD_MOPD);
    assert_int_equal(o.class_position, MOPD_CLASS_END);
    assert_int_equal(o.n_context, 0);
    assert_int_equal(o.epochs, 0); /* 50 and more */
    assert_int_equal(o.steps, 0);
    assert_int_equal(o.batch, 128);
    assert_int_equal(o.top_k, 2);
    assert_true(o.lr == 0 && o.warmup_lr == 1e-5f && o.momentum == 0.9f && o.weight_decay == 5e-4f);
    assert_true(o.w == 0.8f && o.w2 == 0.1f && o.temperature == 1 && o.lambda == -1);
    assert_int_equal(o.seed, 1);
    assert_int_equal(o.memory_limit, 0);
    assert_int_equal(o.n_templates, 0);
    assert_string_equal(o.context, "a photo of a");
    assert_true(!o.templates && !o.teachers && !o.reduce && !o.rank && !o.ranks);
}

static void every_row_is_whole(void **state)
{
    (void)state;
    const mo_setting *row;
    size_t n = 0;
    for (; (row = mo_settings_row(n)); n++) {
        const mopd_setting *s = &row->info;
        assert_true(s->struct_size == sizeof *s && s->name && s->text && *s->text);
        assert_true(s->kind >= MOPD_SETTING_COUNT && s->kind <= MOPD_SETTING_TEXT);
        assert_true(s->least <= s->most);
        assert_true(s->open || (s->preset >= s->least && s->preset <= s->most));
        assert_true((s->kind == MOPD_SETTING_CHOICE) == (s->choices != NULL));
        assert_true((s->kind == MOPD_SETTING_FLAG) == (row->bit != 0));
        assert_true(s->kind == MOPD_SETTING_TEXT || !s->preset_text);
        assert_true(row->at + row->bytes <= sizeof(mopd_trainer_options));
        for (size_t i = 0; i < n; i++) {
            const mo_setting *other = mo_settings_row(i);
            assert_string_not_equal(s->name, other->info.name);
            assert_true(row->bit ? !(row->bit & other->bit) : row->at != other->at);
        }
        if (s->choices)
            for (size_t i = 0; i <= (size_t)s->most; i++) assert_true(s->choices[i] && *s->choices[i]);
    }
    assert_int_equal(n, 20);
    assert_int_equal(row_of("class_context")->bit, MOPD_TRAIN_CLASS_CONTEXT);
    assert_int_equal(row_of("shuffle")->bit, MOPD_TRAIN_NO_SHUFFLE);
}

static void hosts_get_the_rows(void **state)
{
    (void)state;
    const mo_setting *row;
    size_t n = 0;
    mopd_setting s = {.struct_size = sizeof s};
    for (; (row = mo_settings_row(n)); n++) {
        assert_ok(mopd_setting_get(n, &s));
        assert_memory_equal(&s, &row->info, sizeof s);
    }
    assert_fails(mopd_setting_get(n, &s), MOPD_E_ARG, "no setting 20");
    assert_fails(mopd_setting_get(SIZE_MAX, &s), MOPD_E_ARG, "no setting");
    assert_fails(mopd_setting_get(0, NULL), MOPD_E_ARG, "mopd_setting_get");
    struct {
        mopd_setting known;
        char beyond[8];
    } later;
    memset(&later, 0x55, sizeof later);
    later.known.struct_size = sizeof later;
    assert_ok(mopd_setting_get(0, &later.known));
    assert_string_equal(later.known.name, "method");
    assert_int_equal(later.known.struct_size, sizeof later);
    for (int i = 0; i < 8; i++) assert_int_equal(later.beyond[i], 0);
    s.struct_size = 8;
    assert_fails(mopd_setting_get(0, &s), MOPD_E_ARG, "mopd_setting_get: struct_size of mopd_setting is 8");
}

/* Whether the options are read, or refused by the limits of this row. */
static void expect_limit(const mopd_trainer_options *o, const mo_setting *row, bool allowed)
{
    char words[64];
    mopd_status st = read_options(o);
    snprintf(words, sizeof words, "%s is ", row->info.name);
    bool refused = st == MOPD_E_ARG && !strncmp(mopd_last_error(), words, strlen(words)) &&
                   strstr(mopd_last_error(), " are allowed");
    if (refused == allowed)
        fail_msg("%s: %s: %s", row->info.name, mopd_status_name(st), st ? mopd_last_error() : "read");
}

static void expect_count(const mo_setting *row, uint64_t value, bool allowed)
{
    mopd_trainer_options o = right_options();
    const uint32_t word = (uint32_t)value;
    put(&o, row, row->bytes == sizeof value ? (const void *)&value : (const void *)&word);
    expect_limit(&o, row, allowed);
}

static void counts_keep_their_limits(void **state)
{
    (void)state;
    const mo_setting *row;
    size_t seen = 0;
    for (size_t i = 0; (row = mo_settings_row(i)); i++) {
        if (row->info.kind != MOPD_SETTING_COUNT) continue;
        seen++;
        uint64_t least = (uint64_t)row->info.least, most = UINT64_MAX;
        if (least > 1) expect_count(row, least - 1, false);
        expect_count(row, 0, !least || row->info.open); /* as nobody gave it */
        expect_count(row, least, true);
        expect_count(row, least + 1, true);
        if (row->info.most < 4294967296.0) { /* else as many as the field holds */
            most = (uint64_t)row->info.most;
            expect_count(row, most - 1, true);
            expect_count(row, most + 1, false);
            expect_count(row, UINT32_MAX, false);
        }
        expect_count(row, most, true);
    }
    assert_int_equal(seen, 7);
}

static void expect_real(const mo_setting *row, float value, bool allowed)
{
    mopd_trainer_options o = right_options();
    put(&o, row, &value);
    expect_limit(&o, row, allowed);
}

static void reals_keep_their_limits(void **state)
{
    (void)state;
    const mo_setting *row;
    size_t seen = 0;
    for (size_t i = 0; (row = mo_settings_row(i)); i++) {
        if (row->info.kind != MOPD_SETTING_REAL) continue;
        seen++;
        const float least = (float)row->info.least, most = (float)row->info.most;
        const bool negative_is_open = row->info.preset < 0;
        expect_real(row, nextafterf(least, -1), negative_is_open);
        expect_real(row, least, true);
        expect_real(row, nextafterf(least, 1), true);
        expect_real(row, nextafterf(most, 0), true);
        expect_real(row, most, true);
        expect_real(row, nextafterf(most, INFINITY), false);
        expect_real(row, NAN, false);
        expect_real(row, INFINITY, false);
        expect_real(row, -INFINITY, negative_is_open);
    }
    assert_int_equal(seen, 8);
}

static void choices_keep_their_limits(void **state)
{
    (void)state;
    const mo_setting *row;
    size_t seen = 0;
    for (size_t i = 0; (row = mo_settings_row(i)); i++) {
        if (row->info.kind != MOPD_SETTING_CHOICE) continue;
        seen++;
        for (int32_t value = -2; value <= (int32_t)row->info.most + 2; value++) {
            mopd_trainer_options o = right_options();
            put(&o, row, &value);
            expect_limit(&o, row, value >= 0 && value <= (int32_t)row->info.most);
        }
    }
    assert_int_equal(seen, 2);
    mopd_trainer_options o = right_options();
    o.method = -1;
    assert_fails(read_options(&o), MOPD_E_ARG, "method is -1, 0 to 6 are allowed");
}

static void refusals_say_the_numbers(void **state)
{
    (void)state;
    mopd_trainer_options o = right_options();
    o.epochs = 1048577;
    assert_fails(read_options(&o), MOPD_E_ARG, "epochs is 1048577, 1 to 1048576 are allowed");
    o = right_options();
    o.steps = 1048576;
    assert_ok(read_options(&o));
    o.steps++;
    assert_fails(read_options(&o), MOPD_E_ARG, "steps is 1048577, 1 to 1048576 are allowed");
    o.steps = UINT64_MAX;
    assert_fails(read_options(&o), MOPD_E_ARG, "steps is ");
    o.steps = o.epochs = 1;
    assert_fails(read_options(&o), MOPD_E_ARG, "epochs is 1 and steps is 1: give one of them");
    o = right_options();
    o.w = 1.5f;
    assert_fails(read_options(&o), MOPD_E_ARG, "w is 1.5, 0 to 1 are allowed");
    o = right_options();
    o.lr = 1e-13f;
    assert_fails(read_options(&o), MOPD_E_ARG, "lr is 1e-13, 1e-12 to 1e+06 are allowed");
}

static void what_is_open_is_filled_in(void **state)
{
    (void)state;
    mo_settings s;
    const float recommended = encoder->recommended_lr;
    mopd_trainer_options o = right_options();
    encoder->recommended_lr = 0;
    assert_ok(mo_settings_read(&s, encoder, &o));
    assert_true(s.o.lr == 0.002f);
    assert_int_equal(s.o.n_context, 4);
    encoder->recommended_lr = 0.5f;
    assert_ok(mo_settings_read(&s, encoder, &o));
    assert_true(s.o.lr == 0.5f);
    o.lr = 0.25f;
    assert_ok(mo_settings_read(&s, encoder, &o));
    assert_true(s.o.lr == 0.25f);
    encoder->recommended_lr = recommended;
    o.context = "a photo of a cat";
    assert_ok(mo_settings_read(&s, encoder, &o));
    assert_int_equal(s.o.n_context, 7); /* "cat" is three letters to the tiny vocabulary */
    o.n_context = 4;
    assert_fails(read_options(&o), MOPD_E_ARG, "has 7 tokens, n_context is 4");
    o = right_options();
    o.n_context = 9;
    assert_ok(mo_settings_read(&s, encoder, &o));
    assert_int_equal(s.o.n_context, 9);
    static const float lambda[] = {0, 0, 0, 0, 0, 8, 1};
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method++) {
        o = right_options();
        o.method = method;
        assert_ok(mo_settings_read(&s, encoder, &o));
        assert_true(s.o.lambda == lambda[method]);
        o.lambda = 3;
        assert_ok(mo_settings_read(&s, encoder, &o));
        assert_true(s.o.lambda == 3);
    }
}

/* How many epochs a run takes, by what is given and how many steps an epoch has. */
static void epochs_are_counted_in_steps(void **state)
{
    (void)state;
    static const struct {
        uint32_t epochs;
        uint64_t steps;
        size_t n_classes, n_batches;
        uint32_t want;
    } runs[] = {{0, 0, 10, 1, 300}, {0, 0, 10, 2, 150}, {0, 0, 10, 5, 60}, {0, 0, 10, 6, 50},
        {0, 0, 10, 1000, 50}, {0, 0, 10, 0, 50}, {0, 0, 1, 1, 50}, {0, 0, 2, 1, 50}, {0, 0, 4, 1, 50},
        {0, 0, 5, 1, 70}, {0, 0, 6, 1, 105}, {0, 0, 9, 1, 252}, {0, 0, 9, 4, 63}, {0, 0, 50, 6, 50},
        {0, 0, 50, 1, 300}, {0, 0, 100, 12, 50}, {0, 0, SIZE_MAX, 1, 300}, {50, 0, 10, 1, 50},
        {3, 0, 10, 1, 3}, {1000, 0, 2, 1, 1000}, {0, 1, 10, 1, 1}, {0, 7, 10, 3, 3}, {0, 9, 10, 3, 3},
        {0, 5, 10, 100, 1}, {0, 1048576, 2, 1, 1048576}, {0, 600, 100, 1, 600}, {0, 600, 100, 0, 50}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        mo_settings s;
        mopd_trainer_options o = right_options();
        o.epochs = runs[i].epochs;
        o.steps = runs[i].steps;
        assert_ok(mo_settings_read(&s, encoder, &o));
        assert_int_equal(s.open_epochs, !runs[i].epochs);
        assert_int_equal(mo_settings_epochs(&s, runs[i].n_classes, runs[i].n_batches), runs[i].want);
    }
}

static void presets_are_read(void **state)
{
    (void)state;
    mo_settings s;
    const mopd_trainer_options o = mo_settings_defaults();
    assert_ok(mo_settings_read(&s, encoder, &o));
    assert_int_equal(s.n_templates, 12);
    assert_string_equal(s.templates[0], "a photo of a {}.");
    assert_int_equal(s.kept, 2);
}

/* M templates and K of them kept, by method. */
static void methods_take_their_teachers(void **state)
{
    (void)state;
    static const struct {
        int32_t method;
        size_t n_templates, kept;
    } want[] = {{MOPD_METHOD_MOPD, 5, 3}, {MOPD_METHOD_MOPD_STATIC, 5, 3}, {MOPD_METHOD_MOPD_RANDOM, 5, 3},
        {MOPD_METHOD_KD, 1, 1}, {MOPD_METHOD_COOP, 0, 0}, {MOPD_METHOD_KGCOOP, 1, 1},
        {MOPD_METHOD_PROGRAD, 1, 1}};
    for (size_t i = 0; i < 7; i++) {
        mo_settings s;
        mopd_trainer_options o = right_options();
        o.method = want[i].method;
        o.top_k = 3;
        assert_ok(mo_settings_read(&s, encoder, &o));
        assert_int_equal(s.n_templates, want[i].n_templates);
        assert_int_equal(s.kept, want[i].kept);
    }
}

static void bad_templates_are_refused(void **state)
{
    (void)state;
    static const char *const plain[] = {"a {}", "no place"};
    mopd_trainer_options o = right_options();
    o.templates = plain;
    o.n_templates = 2;
    assert_fails(read_options(&o), MOPD_E_ARG, "template 1, \"no place\"");
    o.method = MOPD_METHOD_KD; /* takes the first alone */
    assert_ok(read_options(&o));
    o.method = MOPD_METHOD_MOPD;
    o.templates = NULL;
    assert_fails(read_options(&o), MOPD_E_ARG, "templates is NULL, n_templates is 2");
    o = right_options();
    o.top_k = 6;
    assert_fails(read_options(&o), MOPD_E_ARG, "top_k is 6, there are 5 templates");
    o.n_templates = (1 << 20) + 1;
    assert_fails(read_options(&o), MOPD_E_ARG, "n_templates is 1048577, at most 1048576 are allowed");
}

/* ---- what include/mopd/trainer.h says ---- */

/* Where the declaration ends that `from` stands in front of: its semicolon outside of comments; NULL without one. */
static const char *end_of_declaration(const char *from)
{
    for (const char *p = from; *p; p++) {
        if (!strncmp(p, "/*", 2)) p = strstr(p, "*/") + 1;
        if (*p == ';') return p;
    }
    return NULL;
}

/* What is said of a field: from the comment in front of it, or of the fields before it that share one, to
 * the next field. */
static void lines_of_field(const char *body, const char *name, char *out, size_t room)
{
    char words[64];
    const size_t n = (size_t)snprintf(words, sizeof words, " %s;", name);
    const char *from = body, *end;
    for (const char *p = body; (end = end_of_declaration(p)); p = end + 1) {
        const char *comment = strstr(p, "/*");
        if (comment && comment < end) from = p;
        if (!strncmp(end + 1 - n, words, n)) break;
    }
    if (!end) fail_msg("trainer.h: mopd_trainer_options has no field \"%s\"", name);
    const char *next = end_of_declaration(end + 1), *to = next ? next : end + strlen(end);
    while (next && *to != '\n') to--;
    snprintf(out, room, "%.*s", (int)(to - from), from);
}

/* The number on its own, not as part of a longer one. */
static bool has_number(const char *text, const char *number)
{
    const size_t n = strlen(number);
    for (const char *at = text; (at = strstr(at, number)); at++) {
        bool before = at > text && (strchr("0123456789.", at[-1]) != NULL);
        bool after = strchr("0123456789", at[n]) && at[n];
        if (!before && !after) return true;
    }
    return false;
}

static void the_header_names_the_presets(void **state)
{
    (void)state;
    char *text = test_read(MOPD_SOURCE_DIR "/include/mopd/trainer.h");
    char *body = strstr(text, "typedef struct mopd_trainer_options {"),
         *end = strstr(body, "} mopd_trainer_options;");
    assert_true(body && end);
    *end = 0;
    static const struct {
        const char *name, *preset;
    } want[] = {{"epochs", "50"}, {"epochs", "300"}, {"epochs", "7"}, {"batch", "128"}, {"top_k", "2"},
        {"lr", "0.002"}, {"warmup_lr", "1e-5"}, {"momentum", "0.9"}, {"weight_decay", "5e-4"}, {"w", "0.8"},
        {"w2", "0.1"}, {"temperature", "1"}, {"lambda", "8"}, {"lambda", "1"}, {"seed", "1"},
        {"n_context", "4"}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char lines[2048];
        const mopd_setting *s = &row_of(want[i].name)->info;
        if (s->open)
            assert_true(has_number(s->open, want[i].preset));
        else
            assert_true(strtod(want[i].preset, NULL) == s->preset);
        lines_of_field(body, want[i].name, lines, sizeof lines);
        if (!has_number(lines, want[i].preset))
            fail_msg("trainer.h does not say that %s is %s:\n%s", want[i].name, want[i].preset, lines);
    }
    free(text);
}

static int open_all(void **state)
{
    (void)state;
    encoder = tiny_open(1, 1);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    mopd_encoder_close(encoder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_are_those_of_the_release),
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(hosts_get_the_rows),
        cmocka_unit_test(counts_keep_their_limits),
        cmocka_unit_test(reals_keep_their_limits),
        cmocka_unit_test(choices_keep_their_limits),
        cmocka_unit_test(refusals_say_the_numbers),
        cmocka_unit_test(what_is_open_is_filled_in),
        cmocka_unit_test(epochs_are_counted_in_steps),
        cmocka_unit_test(presets_are_read),
        cmocka_unit_test(methods_take_their_teachers),
        cmocka_unit_test(bad_templates_are_refused),
        cmocka_unit_test(the_header_names_the_presets),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
