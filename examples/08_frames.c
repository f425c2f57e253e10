/* SPDX-License-Identifier: MIT
 * 08_frames.c - the eighth lesson: frames of a camera or a film, classified as they come.
 *
 *     ffmpeg -v error -i film.mp4 -vf scale=320:240 -pix_fmt bgr0 -f rawvideo - | 08_frames 320 240 cat dog "empty street"
 *
 * A frame is height x width x 4 bytes, blue first and one byte unused, as cameras and windows have them.  The library is told
 * so once: another layout - three samples, NV12 of a phone's camera, YUYV of a webcam - is another word and, for planes,
 * other pointers (mopd/frame.h).  Only the middle square is looked at, and only it is read.  One frame says little, so
 * the probabilities are averaged over the last few; a line is printed where the class changes. */
#include <stdio.h>
#include <stdlib.h>

#include <mopd/mopd.h>

typedef struct camera {
    size_t width, height;
    uint8_t *samples; /* height x width x 4 */
    mopd_frame frame; /* what they are */
} camera;

typedef struct watcher {
    mopd_encoder *encoder;
    mopd_bank *bank;
    float feature[4096]; /* D floats; models have 192 to 1280 */
    float *now, *mean;   /* C probabilities: of this frame, averaged */
} watcher;

/* Says what the camera's samples are; done once, as only the samples change. */
static mopd_status describe(camera *c)
{
    size_t side = c->width < c->height ? c->width : c->height;
    mopd_status st = mopd_frame_init(&c->frame, sizeof c->frame);
    c->frame.layout = MOPD_LAYOUT_BGRA;
    c->frame.flags = MOPD_FRAME_NO_ALPHA; /* the fourth byte means nothing */
    c->frame.width = c->width;
    c->frame.height = c->height;
    c->frame.planes[0] = c->samples;
    c->frame.x = (c->width - side) / 2;
    c->frame.y = (c->height - side) / 2;
    c->frame.region_width = c->frame.region_height = side;
    return st;
}

static int next_frame(camera *c)
{
    size_t n = c->width * c->height;
    return fread(c->samples, 4, n, stdin) == n; /* no: the end, or half a frame */
}

/* The frame's probabilities.  The picture is a copy, so the next frame may be read into the same memory. */
static mopd_status look(watcher *w, const camera *c)
{
    mopd_image *image = NULL;
    mopd_status st = mopd_image_create_frame(&image, &c->frame);
    if (st == MOPD_OK)
        st = mopd_encoder_encode_images(w->encoder, (const mopd_image *const *)&image, 1, w->feature);
    if (st == MOPD_OK) st = mopd_bank_probabilities(w->bank, w->feature, 1, w->now);
    mopd_image_close(image);
    return st;
}

/* mean = 3/4 mean + 1/4 now, and the class that leads in it. */
static size_t average(watcher *w, size_t frame)
{
    size_t best = 0, n_classes = mopd_bank_n_classes(w->bank);
    for (size_t c = 0; c < n_classes; c++) {
        w->mean[c] = frame ? 0.75f * w->mean[c] + 0.25f * w->now[c] : w->now[c];
        if (w->mean[c] > w->mean[best]) best = c;
    }
    return best;
}

static mopd_status watch(watcher *w, camera *c)
{
    size_t frame = 0, shown = (size_t)-1;
    mopd_status st = MOPD_OK;
    for (; next_frame(c) && (st = look(w, c)) == MOPD_OK; frame++) {
        size_t best = average(w, frame);
        if (best == shown) continue;
        printf("frame %zu: %s %.3f\n", frame, mopd_bank_class_name(w->bank, best), (double)w->mean[best]);
        fflush(stdout); /* at once, also into a pipe */
        shown = best;
    }
    if (st == MOPD_OK) printf("%zu frames\n", frame);
    return st;
}

int main(int argc, char **argv)
{
    camera c = {.width = argc > 2 ? strtoul(argv[1], NULL, 10) : 0,
        .height = argc > 2 ? strtoul(argv[2], NULL, 10) : 0};
    if (argc < 4 || c.width - 1 >= 16384 || c.height - 1 >= 16384)
        return fprintf(stderr, "usage: %s WIDTH HEIGHT CLASS... <FRAMES\n", argv[0]), 2;
    size_t n_classes = (size_t)argc - 3;
    watcher w = {.now = calloc(n_classes, sizeof *w.now), .mean = calloc(n_classes, sizeof *w.mean)};
    c.samples = malloc(4 * c.width * c.height);

    mopd_status st = w.now && w.mean && c.samples ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = describe(&c);
    if (st == MOPD_OK) st = mopd_encoder_open(&w.encoder, NULL, NULL);
    if (st == MOPD_OK)
        st = mopd_bank_create(&w.bank, w.encoder, (const char *const *)argv + 3, n_classes, NULL, 0);
    if (st == MOPD_OK) st = watch(&w, &c);
    if (st != MOPD_OK) fprintf(stderr, "%s\n", *mopd_last_error() ? mopd_last_error() : mopd_status_text(st));

    mopd_bank_free(w.bank);
    mopd_encoder_close(w.encoder);
    free(c.samples);
    free(w.mean);
    free(w.now);
    return st == MOPD_OK ? 0 : 1;
}
