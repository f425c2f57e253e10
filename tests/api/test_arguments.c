/* SPDX-License-Identifier: MIT
 * test_arguments.c - the manners of all public functions: what they say of NULL and of unknown flags.
 *
 * arguments.h holds a call for every pointer and every flag that is declared; the last test reads the headers
 * and fails where one is missing. */
#define MOPD_ALLOW_DEPRECATED
#include "test.h"

#include <dirent.h>

#include "pictures.h"
#include "support/tiny.h"

enum { C = TINY_CLASSES, N = 2 * C, D = TINY_DIM };

/* What the calls below are given, one of everything. */
static mopd_encoder *encoder;
static mopd_image *image;
static mopd_bank *bank;
static mopd_trainer *trainer;
static mopd_prompt *prompt;
static mopd_gate *gate;
static mopd_gda *gda;
static mopd_recognizer *recognizer;
static mopd_dataset *data, *store;
static float x[N * D], y[N * C], *some_values;
static int32_t labels[N], number;
static uint32_t counts[C * C], indices[N];
static double sums[MOPD_CALIBRATION_SUMS];
static size_t n, shape[2] = {N, D}, chosen[2] = {0, 1};
static double use[8], share;
static mopd_match matches[N];
static mopd_suspect suspects[N];
static mopd_pair pairs[N];
static size_t chosen_rows[N];
static const int32_t one[1] = {1};
static size_t some = 1;
static const char *const absent = "/nowhere/at/all";
static uint8_t bytes[64];
static const char *const *words, *const texts[] = {"cat", "dog"};
static mopd_limits limits;
static mopd_image_options image_options;
static mopd_frame frame;
static mopd_encoder_options encoder_options;
static mopd_share_options share_options;
static mopd_dataset_options dataset_options;
static mopd_selection selection;
static mopd_encode_options encode_options;
static mopd_trainer_options options;
static mopd_run run;
static mopd_step step = {.struct_size = sizeof step};
static mopd_encoder_info encoder_info = {.struct_size = sizeof encoder_info};
static mopd_dataset_info dataset_info = {.struct_size = sizeof dataset_info};
static mopd_remark remark = {.struct_size = sizeof remark};
static mopd_item item = {.struct_size = sizeof item};
static mopd_prompt_info prompt_info = {.struct_size = sizeof prompt_info};
static mopd_recognizer_options recognizer_options;
static mopd_recognizer_info recognizer_info = {.struct_size = sizeof recognizer_info};
static mopd_metrics metrics = {.struct_size = sizeof metrics};
static mopd_setting setting = {.struct_size = sizeof setting};
static float pixels[3 * TINY_IMAGE * TINY_IMAGE];

/* Places of results; drop() frees what a call left there. */
static mopd_encoder *an_encoder;
static mopd_image *an_image;
static mopd_bank *a_bank;
static mopd_trainer *a_trainer;
static mopd_prompt *a_prompt;
static mopd_gate *a_gate;
static mopd_gda *a_gda;
static mopd_recognizer *a_recognizer;
static mopd_dataset *a_dataset;
static char *json;
static uint32_t *ids;
static char model[512], file[512], folder[512];

static void fill_options(void);

static void drop(void)
{
#define DROP(free, place) free(place), place = NULL
    DROP(mopd_encoder_close, an_encoder);
    DROP(mopd_image_close, an_image);
    DROP(mopd_bank_free, a_bank);
    DROP(mopd_trainer_free, a_trainer);
    DROP(mopd_prompt_close, a_prompt);
    DROP(mopd_gate_free, a_gate);
    DROP(mopd_gda_free, a_gda);
    DROP(mopd_recognizer_close, a_recognizer);
    DROP(mopd_dataset_close, a_dataset);
    DROP(mopd_free, json);
    DROP(mopd_free, ids);
}

static int told(void *context, size_t index, mopd_status status, const char *message, const float *feature)
{
    (void)context, (void)index, (void)status, (void)message, (void)feature;
    return 0;
}

#include "arguments.h"
#include "numbers.h"

static void assert_says(mopd_status st, mopd_status want, const char *message)
{
    if (st != want || strcmp(mopd_last_error(), message) != 0)
        fail_msg("%s: %s\nexpected %s: %s", mopd_status_name(st), mopd_last_error(), mopd_status_name(want),
            message);
    drop();
}

static void a_missing_argument_is_named(void **state)
{
    (void)state;
#define NAMED(function, argument, call)                                                                      \
    assert_says(function call, MOPD_E_ARG, #function ": " #argument " is NULL");
    REQUIRED(NAMED)
}

/* Counts that no memory can have, among them some whose bytes wrap round to few: refused before anything is read. */
static void lists_beyond_all_memory_are_refused(void **state)
{
    (void)state;
    const size_t counts_of[] = {
        SIZE_MAX, SIZE_MAX / 2 + 2, SIZE_MAX / sizeof(void *) + 2, SIZE_MAX / (D * sizeof(float)) + 2};
    for (size_t i = 0; i < 2; i++) {
        const size_t most = counts_of[i];
#define TOO_MANY(function, argument, call)                                                                   \
    assert_fails(function call, MOPD_E_ARG, #function ": " #argument " are said to be ");                    \
    assert_non_null(strstr(mopd_last_error(), "more than memory can have"));                                 \
    drop();
        COUNTED(TOO_MANY)
    }
    assert_fails(
        mopd_encoder_encode_texts(encoder, texts, counts_of[2], y), MOPD_E_ARG, "texts are said to be");
    assert_fails(mopd_bank_logits(bank, x, counts_of[3], y), MOPD_E_ARG, "features are said to be");
    assert_fails(mopd_gda_logits(gda, x, counts_of[3], y), MOPD_E_ARG, "features are said to be");
    assert_ok(mopd_bank_top(bank, x, 1, SIZE_MAX, matches)); /* as many as there are */
}

/* A size that was never set, or that of another struct: nothing is read or cleared beyond what is there. */
static void sizes_that_no_struct_has_are_refused(void **state)
{
    (void)state;
    static const uint32_t wrong[] = {0, 1, 7, 4097, 0x7f7f7f7f, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
#define WRONG_SIZE(function, place, call)                                                                    \
    {                                                                                                        \
        const uint32_t right = place.struct_size;                                                            \
        place.struct_size = wrong[i];                                                                        \
        assert_fails(function call, MOPD_E_ARG, ": struct_size of ");                                        \
        assert_non_null(strstr(mopd_last_error(), "; was it initialised?"));                                 \
        place.struct_size = right;                                                                           \
        drop();                                                                                              \
    }
        SIZED(WRONG_SIZE)
    }
}

/* The numbers that wrap round when something is added to them or they are multiplied, each in the place of a length: ARG, or
 * another refusal, but never a fault of memory. */
static void enormous_numbers_are_refused(void **state)
{
    (void)state;
    const size_t numbers[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 2};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const size_t most = numbers[i];
        mopd_status st;
#define ENORMOUS(function, call)                                                                             \
    n = 2;                                                                                                   \
    st = function call;                                                                                      \
    if (st == MOPD_OK && (uint32_t)most > 1024) fail_msg(#function #call " takes %zu", most);                \
    drop();
        LENGTHS(ENORMOUS)
#define NO_PLACE(function, call)                                                                             \
    if (function call) fail_msg(#function #call " has something at %zu", most);
        PLACES(NO_PLACE)
#define ANY_NUMBER(function, call) (void)(function call);
        ANY(ANY_NUMBER)
    }
    fill_options();
    assert_ok(mopd_runtime_set_threads(0));
}

static void numbers_that_are_none_are_refused(void **state)
{
    (void)state;
    const double odds[] = {NAN, INFINITY, -INFINITY, -1, 1e300, -1e300};
    for (size_t i = 0; i < sizeof odds / sizeof *odds; i++) {
        const double odd = odds[i];
        mopd_status st;
#define ODD(function, call)                                                                                  \
    n = 2;                                                                                                   \
    st = function call;                                                                                      \
    if (isnan(odd) && st != MOPD_E_ARG && st != MOPD_E_NUMERIC)                                              \
        fail_msg(#function #call " says %s of no number", mopd_status_name(st));                             \
    drop();
        REALS(ODD)
        (void)mopd_harmonic_mean(odd, 1), (void)mopd_harmonic_mean(odd, odd);
    }
}

/* No number, infinite, or so large that a logit is: said with the picture's place, and no result is written. */
static void features_that_give_no_logits_are_refused(void **state)
{
    (void)state;
    static const float wrong[] = {NAN, INFINITY, 1e38f, 2e6f};
    static float bad[2 * D];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memcpy(bad, x, sizeof bad);
        bad[D + 3] = wrong[i];
#define REFUSED(function, call)                                                                              \
    assert_fails(function call, MOPD_E_NUMERIC, i < 2 ? "feature 1 is not finite" : "feature 1 has length"); \
    drop();
        MEASURED(REFUSED)
    }
}

static void former_names_do_what_their_successors_do(void **state)
{
    (void)state;
#define SUCCEEDED(function, argument, call, successor)                                                       \
    if (#successor[0] == 'm') assert_says(function call, MOPD_E_ARG, #successor ": " #argument " is NULL");
    FORMER(SUCCEEDED)
    assert_ok(mopd_trainer_prompt(trainer, &a_prompt));
    assert_non_null(mopd_prompt_context(a_prompt));
    assert_ok(mopd_trainer_bank(trainer, &a_bank, texts, 2));
    assert_int_equal(mopd_bank_n_classes(a_bank), 2);
    counts[0] = 3;
    assert_ok(mopd_metrics_compute(&metrics, counts, C));
    assert_int_equal(metrics.correct, 3);
    assert_ok(mopd_image_create(&an_image, bytes, 2, 2, 3, 0));
    mopd_image_free(an_image);
    an_image = NULL;
    drop();
    assert_fails(mopd_trainer_choose(encoder, texts, 2, &options, &run, NULL), MOPD_E_ARG, "2 classes");
}

static void an_argument_may_be_missing(void **state)
{
    (void)state;
    mopd_status st;
#define ALLOWED(function, argument, call, want)                                                              \
    if ((st = function call) != (want))                                                                      \
        fail_msg(#function " without " #argument ": %s: %s", mopd_status_name(st), mopd_last_error());       \
    drop();
    OPTIONAL(ALLOWED)
    assert_ok(mopd_bank_logits(bank, NULL, 0, NULL)); /* lists of none */
    assert_ok(mopd_bank_top(bank, NULL, 0, 1, NULL));
    assert_ok(mopd_gate_select(gate, NULL, 0, NULL, NULL));
    assert_ok(mopd_gda_logits(gda, NULL, 0, NULL));
    assert_ok(mopd_confusion_add(counts, C, NULL, NULL, 0));
    assert_ok(mopd_calibration_add(sums, C, NULL, NULL, 0));
    assert_ok(mopd_bank_create_prompt(&a_bank, encoder, NULL, 0, prompt));
    drop();
}

static void functions_without_status_take_null(void **state)
{
    (void)state;
#define NOTHING(function, call, want) assert_true(function call == (want));
    TOLERANT(NOTHING)
#define FREED(function) function(NULL);
    FREEING(FREED)
}

static void every_unknown_flag_is_a_newer_library_s(void **state)
{
    (void)state;
    uint32_t pick_flags = 0;
    char message[128];
#define UNKNOWN(who, place, known, call)                                                                     \
    for (uint32_t bit = 1; bit; bit <<= 1) {                                                                 \
        if (bit & (known)) continue;                                                                         \
        place = bit | (known);                                                                               \
        snprintf(message, sizeof message, #who ": flags 0x%x are unknown to libmopd " MOPD_VERSION_STRING,   \
            (unsigned)bit);                                                                                  \
        assert_says(call, MOPD_E_VERSION, message);                                                          \
        place = 0;                                                                                           \
    }
    FLAGS(UNKNOWN)
}

/* -- the tables hold everything ------------------------------------------------------------------------- */

static const struct {
    const char *function, *argument;
} listed[] = {
#define LISTED(function, argument, ...) {#function, #argument},
    REQUIRED(LISTED) OPTIONAL(LISTED) FORMER(LISTED)
#undef LISTED
};

static const char *const without_status =
#define LISTED(function, ...) " " #function " "
    TOLERANT(LISTED) FREEING(LISTED);
#undef LISTED

static const char *const with_sizes =
#define LISTED(function, place, ...) " " #function " " #place
    SIZED(LISTED);
#undef LISTED

static const char *const with_numbers =
#define LISTED(function, ...) " " #function " "
    LENGTHS(LISTED) PLACES(LISTED) REALS(LISTED) ANY(LISTED);
#undef LISTED

static const char *const with_flags =
#define LISTED(who, ...) " " #who " "
    FLAGS(LISTED);

static bool is_word(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The last name in front of `end`. */
static void name_before(const char *end, char name[64])
{
    while (!is_word(end[-1])) end--;
    const char *start = end;
    while (is_word(start[-1])) start--;
    snprintf(name, 64, "%.*s", (int)(end - start), start);
}

static void is_listed(const char *function, const char *argument)
{
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
        if (!strcmp(listed[i].function, function) && !strcmp(listed[i].argument, argument)) return;
    fail_msg("%s: argument %s is in no table", function, argument);
}

/* Whether text [at, end) has words in it. */
static bool holds(const char *at, const char *end, const char *words_)
{
    const char *found = strstr(at, words_);
    return found && found < end;
}

/* A plain number, or a struct that says its size, is in a table of numbers.h; flags are in theirs. */
static void check_number(const char *function, const char *at, const char *end)
{
    static const char *const kinds[] = {"size_t ", "uint64_t ", "uint32_t ", "int32_t ", "float ", "double "};
    char word[80], name[64];
    bool plain = false;
    name_before(end, name);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) plain |= holds(at, end, kinds[i]);
    snprintf(word, sizeof word, "%s ", function);
    if (plain && !holds(at, end, "*") && strcmp(name, "flags") != 0 && !strstr(with_numbers, word))
        fail_msg("%s: its number %s is in no table", function, name);
    const char *type = strstr(at, "mopd_");
    if (!holds(at, end, "*") || !type || type > end || holds(at, end, "**")) return;
    snprintf(word, sizeof word, " %.*s,", (int)(strcspn(type, " ")), type);
    const bool sized = strstr(sized_structs, word) && strcmp(function + strlen(function) - 5, "_init") != 0;
    snprintf(word, sizeof word, " %s ", function);
    if (sized && !strstr(with_sizes, word)) fail_msg("%s: %s is in no table of sizes", function, name);
}

static void check_arguments(const char *function, bool status, const char *at, const char *end)
{
    char name[64], word[66];
    for (const char *comma; at < end; at = comma + 1) {
        for (comma = at; *comma != ',' && comma < end; comma++) {
        }
        name_before(comma, name);
        snprintf(word, sizeof word, " %s ", function);
        if (!strcmp(name, "flags") && !strstr(with_flags, word)) fail_msg("%s: flags in no table", function);
        check_number(function, at, comma);
        if (!holds(at, comma, "*") && !holds(at, comma, "_fn ")) continue;
        snprintf(word, sizeof word, "%s ", function);
        if (status)
            is_listed(function, name);
        else if (!strstr(without_status, word))
            fail_msg("%s is in no table", function);
    }
}

/* Every struct that the library reads has an init function. */
static void check_flags(const char *text, const char *function)
{
    char head[96], word[66];
    size_t length = strlen(function);
    if (length < 5 || strcmp(function + length - 5, "_init") != 0) return;
    snprintf(head, sizeof head, "typedef struct %.*s {", (int)(length - 5), function);
    const char *at = strstr(text, head);
    assert_non_null(at);
    snprintf(word, sizeof word, " %.*s ", (int)(length - 5), function);
    if (holds(at, strchr(at, '}'), "uint32_t flags;") && !strstr(with_flags, word))
        fail_msg("the flags of%sare in no table", word);
}

static size_t check_header(const char *text)
{
    size_t n_functions = 0;
    for (const char *at = text; (at = strstr(at, "\nMOPD_API ")); n_functions++) {
        char function[64];
        const char *open = strchr(at, '('), *close = strchr(at, ')');
        name_before(open, function);
        check_arguments(function, !strncmp(at, "\nMOPD_API mopd_status ", 22), open + 1, close);
        check_flags(text, function);
        at = close;
    }
    return n_functions;
}

static void the_tables_hold_every_argument(void **state)
{
    (void)state;
    size_t n_functions = 0;
    DIR *dir = opendir(MOPD_SOURCE_DIR "/include/mopd");
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        char path[600];
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/include/mopd/%s", MOPD_SOURCE_DIR, e->d_name);
        char *text = test_read(path);
        n_functions += check_header(text);
        free(text);
    }
    closedir(dir);
    assert_true(n_functions > 100);
}

/* -- one of everything ---------------------------------------------------------------------------------- */

static void fill_options(void)
{
    assert_ok(mopd_limits_init(&limits, sizeof limits));
    assert_ok(mopd_image_options_init(&image_options, sizeof image_options));
    assert_ok(mopd_frame_init(&frame, sizeof frame));
    assert_ok(mopd_encoder_options_init(&encoder_options, sizeof encoder_options));
    assert_ok(mopd_share_options_init(&share_options, sizeof share_options));
    assert_ok(mopd_dataset_options_init(&dataset_options, sizeof dataset_options));
    assert_ok(mopd_selection_init(&selection, sizeof selection));
    assert_ok(mopd_encode_options_init(&encode_options, sizeof encode_options));
    assert_ok(mopd_run_init(&run, sizeof run));
    run.n = N;
    run.features = x;
    run.labels = labels;
    options = tiny_training(MOPD_METHOD_MOPD, 2);
    assert_ok(mopd_recognizer_options_init(&recognizer_options, sizeof recognizer_options));
}

static int prepare(void **state)
{
    (void)state;
    snprintf(model, sizeof model, "%s", tiny_model(1));
    setenv("MOPD_MODEL", model, 1); /* the built-in one */
    snprintf(folder, sizeof folder, "%s", test_folder("pictures"));
    test_png("pictures/a/0.png", 9, 8, 1);
    test_png("pictures/b/0.png", 9, 8, 2);
    test_text("pictures/b/note.txt", "no picture: a remark\n");
    snprintf(file, sizeof file, "%s", test_png("pictures/a/1.png", 9, 8, 3));
    encoder = tiny_open(1, 1);
    tiny_features(encoder, N / C, 1, 7, x, labels);
    fill_options();
    assert_ok(mopd_image_open(&image, file, NULL));
    assert_ok(mopd_bank_create(&bank, encoder, tiny_classes, C, NULL, 0));
    assert_ok(mopd_trainer_create(&trainer, encoder, tiny_classes, C, &options));
    assert_ok(mopd_prompt_create_trainer(&prompt, trainer));
    assert_ok(mopd_gate_create(&gate, prompt));
    assert_ok(mopd_gda_create(&gda, bank, x, labels, N, 1));
    assert_ok(mopd_recognizer_create(&recognizer, encoder, tiny_classes, C, x, labels, N, NULL));
    assert_ok(mopd_dataset_open(&data, folder, NULL));
    assert_ok(mopd_dataset_encode(&store, data, NULL, encoder, NULL));
    return 0;
}

static int clean(void **state)
{
    (void)state;
    mopd_dataset_close(store);
    mopd_dataset_close(data);
    mopd_recognizer_close(recognizer);
    mopd_gda_free(gda);
    mopd_gate_free(gate);
    mopd_prompt_close(prompt);
    mopd_trainer_free(trainer);
    mopd_bank_free(bank);
    mopd_image_close(image);
    mopd_encoder_close(encoder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_argument_is_named),
        cmocka_unit_test(lists_beyond_all_memory_are_refused),
        cmocka_unit_test(features_that_give_no_logits_are_refused),
        cmocka_unit_test(sizes_that_no_struct_has_are_refused),
        cmocka_unit_test(enormous_numbers_are_refused),
        cmocka_unit_test(numbers_that_are_none_are_refused),
        cmocka_unit_test(former_names_do_what_their_successors_do),
        cmocka_unit_test(an_argument_may_be_missing),
        cmocka_unit_test(functions_without_status_take_null),
        cmocka_unit_test(every_unknown_flag_is_a_newer_library_s),
        cmocka_unit_test(the_tables_hold_every_argument),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
