/* SPDX-License-Identifier: MIT
 * cmd_small.c - the subcommands of one call each: preprocess, tokenize, inspect, pack. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "sys.h"

static int finish(mopd_status st)
{
    if (st != MOPD_OK) return cli_fail_status(st);
    return cli_flush() ? EXIT_DONE : EXIT_FAILED;
}

/* -- preprocess --------------------------------------------------------------------------------------------- */

static mopd_status preprocess(
    const mopd_encoder *encoder, const cli_common *common, const char *path, const char *out)
{
    mopd_encoder_info info = {.struct_size = sizeof info};
    mopd_encoder_get_info(encoder, &info);
    size_t s = info.image_size, shape[3] = {3, s, s};
    mopd_image *image;
    mopd_status st = cli_open_image(&image, common, path);
    if (st != MOPD_OK) return st;
    float *pixels = cli_alloc(3 * s * s, sizeof *pixels);
    st = mopd_encoder_preprocess(encoder, image, pixels);
    if (st == MOPD_OK) st = mopd_array_save(out, pixels, shape, 3);
    free(pixels);
    mopd_image_close(image);
    return st;
}

int cmd_preprocess(int argc, char **argv)
{
    static const cli_command command = {"preprocess", "IMAGE -o OUT.npy",
        "Writes the tensor that the vision tower sees, 3 x S x S float32.",
        "  mopd preprocess photo.jpg -o x.npy\n"};
    cli_common common;
    const char *out = NULL;
    const cli_option options[] = {{"output", 'o', CLI_OUT, &out, "OUT.npy", "where to write", NULL}, {0}};
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &common, options, argc, argv, &rest, &n_rest);
    if (status >= 0) return status;
    if (n_rest != 1) return cli_usage(command.name, "one picture is needed, %zu were given", n_rest);
    if (!out) return cli_usage(command.name, "no -o OUT.npy");
    if (cli_check_apart("output", out, rest[0]) >= 0) return EXIT_FAILED;
    mopd_encoder *encoder;
    if ((status = cli_open_encoder(&encoder, &common, 0)) >= 0) return status;
    status = finish(preprocess(encoder, &common, rest[0], out));
    mopd_encoder_close(encoder);
    return status;
}

/* -- tokenize ----------------------------------------------------------------------------------------------- */

static mopd_status tokenize(const mopd_encoder *encoder, char **texts, size_t n, json_t *lists)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t *ids;
        size_t n_ids;
        mopd_status st = mopd_encoder_tokenize(encoder, texts[i], &ids, &n_ids);
        if (st != MOPD_OK) return st;
        json_t *one = json_array();
        for (size_t k = 0; k < n_ids; k++) json_array_append_new(one, json_integer((json_int_t)ids[k]));
        json_array_append_new(lists, one);
        mopd_free(ids);
    }
    return MOPD_OK;
}

static void print_ids(const json_t *lists, const char *separator)
{
    size_t i, k;
    json_t *one, *id;
    json_array_foreach(lists, i, one)
    {
        json_array_foreach(one, k, id) printf("%s%d", k ? separator : "", (int)json_integer_value(id));
        putchar('\n');
    }
}

int cmd_tokenize(int argc, char **argv)
{
    static const cli_command command = {"tokenize", "[options] TEXT...",
        "Prints token ids, start and end included.", "  mopd tokenize \"a photo of a cat.\"\n"};
    cli_common common;
    const char *text_file = NULL;
    bool truncate = false;
    const cli_option options[] = {
        {"text-file", 0, CLI_IN, &text_file, "FILE", "texts, one a line", NULL},
        {"truncate", 0, CLI_FLAG, &truncate, NULL, "cut over-long texts, keeping the end token", NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    cli_list texts = {0};
    int status = cli_parse(&command, &common, options, argc, argv, &rest, &n_rest);
    if (status >= 0) return status;
    for (size_t i = 0; i < n_rest; i++) cli_list_add(&texts, rest[i]);
    if (text_file && !cli_list_file(&texts, text_file)) {
        cli_list_free(&texts);
        return EXIT_FAILED;
    }
    if (!texts.n) return cli_usage(command.name, "no text");
    mopd_encoder *encoder;
    if ((status = cli_open_encoder(&encoder, &common, truncate ? MOPD_TEXT_TRUNCATE : 0)) >= 0) {
        cli_list_free(&texts);
        return status;
    }
    json_t *lists = json_array();
    mopd_status st = tokenize(encoder, texts.item, texts.n, lists);
    if (st == MOPD_OK && cli_is_json(&common))
        cli_print_json(json_incref(lists));
    else if (st == MOPD_OK)
        print_ids(lists, cli_is_csv(&common) ? "," : " ");
    json_decref(lists);
    cli_list_free(&texts);
    mopd_encoder_close(encoder);
    return finish(st);
}

/* -- inspect ------------------------------------------------------------------------------------------------ */

static void print_value(const char *key, const json_t *value, int depth)
{
    const char *name;
    json_t *inner;
    if (json_is_object(value)) {
        printf("%*s%s\n", 2 * depth, "", cli_shown(key));
        json_object_foreach((json_t *)(uintptr_t)value, name, inner) print_value(name, inner, depth + 1);
        return;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
    size_t width = 26 > 2 * depth ? (size_t)(26 - 2 * depth) : 1;
    if (json_is_string(value))
        printf(
            "%*s%-*s %s\n", 2 * depth, "", (int)width, cli_shown(key), cli_shown(json_string_value(value)));
    else
        printf("%*s%-*s %s\n", 2 * depth, "", (int)width, cli_shown(key), text ? cli_shown(text) : "");
    free(text);
}

/* "types.F32,78": keys of inner objects behind a dot. */
static void print_csv(const char *prefix, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        size_t n = strlen(prefix) + strlen(name) + 2;
        char *key = cli_alloc(n, 1);
        snprintf(key, n, "%s%s%s", prefix, *prefix ? "." : "", name);
        if (json_is_object(value)) {
            print_csv(key, value);
        } else {
            char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
            cli_csv_field(key, false);
            cli_csv_field(json_is_string(value) ? json_string_value(value) : text ? text : "", true);
            free(text);
        }
        free(key);
    }
}

int cmd_inspect(int argc, char **argv)
{
    static const cli_command command = {"inspect", "[PATH]",
        "Tells what a model, prompt file, checkpoint or feature store holds (default: the built-in model).",
        "  mopd inspect ViT-B-16/\n  mopd inspect --format json prompt.safetensors\n"};
    cli_common common;
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &common, NULL, argc, argv, &rest, &n_rest);
    if (status >= 0) return status;
    if (n_rest > 1) return cli_usage(command.name, "one path is needed, %zu were given", n_rest);
    char *text;
    double start = cli_seconds();
    mopd_status st = mopd_inspect(n_rest ? rest[0] : common.model, &text);
    double open_ms = 1e3 * (cli_seconds() - start);
    if (st != MOPD_OK) return finish(st);
    json_t *document = json_loads(text, 0, NULL);
    mopd_free(text);
    if (!document) return cli_fail("the library's description is no JSON");
    json_object_set_new(document, "open_ms", json_real(open_ms));
    if (cli_is_json(&common)) {
        cli_print_json(document);
        return finish(MOPD_OK);
    }
    if (cli_is_csv(&common)) {
        fputs("key,value\r\n", stdout);
        print_csv("", document);
    } else {
        const char *key;
        json_t *value;
        json_object_foreach(document, key, value) print_value(key, value, 0);
    }
    json_decref(document);
    return finish(MOPD_OK);
}

/* -- pack --------------------------------------------------------------------------------------------------- */

typedef struct packing {
    const char *out, *dtype;
    bool panels;
    const char *calibrate; /* a folder, a picture, or NULL */
    int32_t type;
} packing;

static int check_packing(packing *p)
{
    static const char *const names[] = {"f32", "f16", "bf16", "i8"};
    static const int32_t types[] = {MOPD_DTYPE_F32, MOPD_DTYPE_F16, MOPD_DTYPE_BF16, MOPD_DTYPE_I8};
    const int status = cli_choice("pack", "dtype", p->dtype, names, 4, &p->type);
    if (status >= 0) return status;
    p->type = types[p->type];
    if (!p->out) return cli_usage("pack", "no -o FILE");
    if (p->calibrate && p->type != MOPD_DTYPE_I8)
        return cli_usage("pack",
            "--calibrate goes with --dtype i8: weights of type %s have no channels to balance", p->dtype);
    return -1;
}

/* The pictures to calibrate with: -1, else the exit status. */
static int list_calibration(cli_list *pictures, const char *path)
{
    if (!path) return -1;
    if (!cli_list_pictures(pictures, path)) return EXIT_FAILED;
    return pictures->n ? -1 : cli_fail("--calibrate %s: there is no picture in this folder", path);
}

static mopd_status pack(const mopd_encoder *encoder, const packing *p, const cli_list *pictures)
{
    const int32_t type = p->type | (p->panels ? MOPD_PACK_PANELS : 0);
    if (!p->calibrate) return mopd_encoder_pack(encoder, p->out, type);
    return mopd_encoder_pack_calibrated(
        encoder, p->out, type, (const char *const *)pictures->item, pictures->n);
}

/* The fingerprint of the model that was written, owned by the document: that of rounded weights is another.  What went to a
   device cannot be read again and has none. */
static mopd_status written_fingerprint(const char *path, json_t **document, const char **fingerprint)
{
    char *text;
    *document = NULL;
    *fingerprint = NULL;
    if (sys_kind_of(path) != SYS_FILE) return MOPD_OK;
    const mopd_status st = mopd_inspect(path, &text);
    if (st != MOPD_OK) return st;
    *document = json_loads(text, 0, NULL);
    mopd_free(text);
    *fingerprint = json_string_value(json_object_get(*document, "fingerprint"));
    return MOPD_OK;
}

static mopd_status tell_packed(const cli_common *common, const char *path)
{
    json_t *document;
    const char *fingerprint;
    if (common->quiet && !cli_is_json(common)) return MOPD_OK;
    const mopd_status st = written_fingerprint(path, &document, &fingerprint);
    if (st == MOPD_OK && cli_is_json(common))
        cli_print_json(json_pack("{s:o, s:s*}", "path", cli_json_text(path), "fingerprint", fingerprint));
    else if (st == MOPD_OK && !common->quiet)
        printf("%s: %s\n", cli_shown(path), fingerprint ? fingerprint : "written");
    json_decref(document);
    return st;
}

int cmd_pack(int argc, char **argv)
{
    static const cli_command command = {"pack",
        "-m MODEL [--dtype f32|f16|bf16|i8] [--panels] [--calibrate DIR] -o FILE",
        "Writes a model as one file that is mapped, not read.",
        "  mopd pack -m ViT-B-16/ --dtype f16 -o b16.safetensors\n"
        "  mopd pack -m ViT-B-16/ --panels -o b16.safetensors\n"
        "  mopd pack -m ViT-B-16/ --dtype i8 --calibrate photos/ -o b16.safetensors\n"};
    cli_common common;
    packing p = {.dtype = "f32"};
    const cli_option options[] = {
        {"dtype", 0, CLI_TEXT, &p.dtype, "f32|f16|bf16|i8", "type of the weights", NULL},
        {"panels", 0, CLI_FLAG, &p.panels, NULL,
            "weights as products read them: starts at once, shared by processes", NULL},
        {"calibrate", 0, CLI_IN, &p.calibrate, "DIR",
            "pictures (64 are read) that show which channels are large: i8 alone", NULL},
        {"output", 'o', CLI_OUT, &p.out, "FILE", "where to write", NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &common, options, argc, argv, &rest, &n_rest);
    if (status >= 0) return status;
    if (n_rest) return cli_usage(command.name, "'%s' is left over", rest[0]);
    if ((status = check_packing(&p)) >= 0) return status;
    cli_list pictures = {0};
    mopd_encoder *encoder = NULL;
    status = list_calibration(&pictures, p.calibrate);
    if (status < 0) status = cli_open_encoder(&encoder, &common, 0);
    if (status < 0) {
        mopd_status st = pack(encoder, &p, &pictures);
        if (st == MOPD_OK) st = tell_packed(&common, p.out);
        status = finish(st);
    }
    mopd_encoder_close(encoder);
    cli_list_free(&pictures);
    return status;
}
