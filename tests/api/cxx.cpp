/* SPDX-License-Identifier: MIT
 * cxx.cpp - mopd/mopd.hpp: objects free themselves and move, failures throw, nothing thrown crosses the C library. */
#include <mopd/mopd.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

extern "C" {
#include "support/tiny.h"
const char *test_path(const char *name);
void test_count_start(void);
long test_count_live(void);
}

static int n_passed, n_failed;

static void expect(bool fact, const char *what, int line)
{
    if (fact) return;
    std::fprintf(stderr, "cxx.cpp:%d: not so: %s\n", line, what);
    n_failed++;
}

#define EXPECT(fact) expect((fact), #fact, __LINE__)

/* The status that a call throws, MOPD_OK when it throws nothing. */
template <class F> static mopd_status thrown_by(F &&call)
{
    try {
        call();
    } catch (const mopd::error &e) {
        EXPECT(e.what()[0] != 0);
        return e.status();
    }
    return MOPD_OK;
}

struct fixture {
    mopd::Encoder encoder;
    std::vector<std::string> classes;
    mopd::Matrix features;
    std::vector<std::int32_t> labels;

    fixture() : encoder(tiny_model(1)), features(TINY_CLASSES * 4, TINY_DIM), labels(TINY_CLASSES * 4)
    {
        classes.assign(tiny_classes, tiny_classes + TINY_CLASSES);
        tiny_features(encoder.get(), 4, 1, 7, features.data(), labels.data());
    }
};

static std::vector<std::uint8_t> noise(std::size_t n)
{
    std::vector<std::uint8_t> samples(n);
    for (std::size_t i = 0; i < n; i++) samples[i] = std::uint8_t(i * 37 % 251);
    return samples;
}

static bool same(mopd::span<const float> a, mopd::span<const float> b)
{
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); i++)
        if (a[i] != b[i]) return false;
    return true;
}

static mopd::TrainerOptions short_training()
{
    mopd::TrainerOptions o;
    o.epochs = 3;
    o.batch = 8;
    o.context = "a photo of a";
    return o;
}

static void failures_are_exceptions(fixture &f)
{
    EXPECT(thrown_by([] { mopd::Encoder("/nonexistent/model"); }) == MOPD_E_IO);
    EXPECT(thrown_by([] { mopd::Image("/nonexistent/picture"); }) == MOPD_E_IO);
    EXPECT(thrown_by([&] { mopd::Bank(f.encoder, {"cat", "cat"}); }) == MOPD_E_ARG);
    EXPECT(thrown_by([&] { mopd::Bank(f.encoder, f.classes).logits({f.features.data(), 5}); }) == MOPD_E_ARG);
    EXPECT(thrown_by([&] { mopd::Image::from_samples(noise(11), 2, 2, 3); }) == MOPD_E_ARG);
    EXPECT(thrown_by([] { (void)mopd::method("guessing"); }) == MOPD_E_ARG);
}

static void handles_move(fixture &f)
{
    mopd::Bank a(f.encoder, f.classes);
    mopd_bank *raw = a.get();
    mopd::Bank b(std::move(a));
    EXPECT(!a && b && b.get() == raw);
    a = mopd::Bank(f.encoder, {"one"});
    a = std::move(b);
    EXPECT(a.get() == raw && a.n_classes() == TINY_CLASSES && a.class_name(1) == f.classes[1]);
    mopd::Bank taken(a.release());
    EXPECT(!a && taken.get() == raw);
    static_assert(!std::is_copy_constructible_v<mopd::Bank> && !std::is_copy_assignable_v<mopd::Trainer>);
    static_assert(std::is_nothrow_move_constructible_v<mopd::Encoder>);
}

/* A host with handles of its own, made by C, uses them from here on as objects. */
static void handles_of_c_are_taken_over(fixture &f)
{
    mopd_encoder *encoder = nullptr;
    EXPECT(mopd_encoder_open(&encoder, tiny_model(1), nullptr) == MOPD_OK);
    mopd::Encoder adopted = mopd::Encoder::adopt(encoder);
    EXPECT(adopted.get() == encoder && adopted.dim() == TINY_DIM &&
           adopted.fingerprint() == f.encoder.fingerprint());
    EXPECT(thrown_by([] { mopd::Encoder::adopt(nullptr); }) == MOPD_E_ARG);

    mopd_image *image = nullptr;
    EXPECT(mopd_image_create(&image, noise(12).data(), 2, 2, 3, 0) == MOPD_OK);
    EXPECT(mopd::Image::adopt(image).width() == 2);

    mopd::Bank bank(adopted, f.classes);
    EXPECT(mopd::Bank::adopt(bank.release()).n_classes() == TINY_CLASSES && !bank);
    bank = mopd::Bank(adopted, f.classes);
    mopd::Gda gda(bank, f.features, f.labels);
    const mopd::Matrix before = gda.logits(f.features);
    EXPECT(same(mopd::Gda::adopt(gda.release()).logits(f.features), before));

    const mopd::Texts templates = {"a photo of a {}.", "of {}"};
    mopd::Trainer trainer(adopted, f.classes, short_training(), templates);
    trainer = mopd::Trainer::adopt(trainer.release(), adopted);
    EXPECT(trainer.run(f.features, f.labels));
    EXPECT(mopd::Prompt::adopt(trainer.prompt().release()).templates().size() == 2);
    EXPECT(mopd::Gate::adopt(mopd::Gate(trainer.prompt()).release()).n_templates() == 2);
}

static void what_was_moved_from_is_empty(fixture &f)
{
    mopd::Encoder first(tiny_model(1)), second(std::move(first));
    EXPECT(first.dim() == 0 && first.info().image_size == 0 && second.dim() == TINY_DIM);
    EXPECT(thrown_by([&] { first.texts({"a"}); }) == MOPD_E_ARG);
    mopd::Bank bank(second, f.classes);
    mopd::Gda gda(bank, f.features, f.labels), other(std::move(gda));
    EXPECT(thrown_by([&] { gda.logits(f.features); }) == MOPD_E_ARG);
    EXPECT(other.logits(f.features).cols() == TINY_CLASSES);
    mopd::Trainer one(second, f.classes, short_training(), {"{}", "of {}"}), two(std::move(one));
    EXPECT(thrown_by([&] { one.step(f.features, f.labels); }) == MOPD_E_ARG);

    mopd::Matrix a(2, 3), b(std::move(a));
    EXPECT(a.rows() == 0 && a.cols() == 0 && a.size() == 0 && b.rows() == 2 && b.row(1).size() == 3);
    a = b;
    EXPECT(a.rows() == 2 && a.size() == 6 && b.size() == 6);
    mopd::Confusion counts(TINY_CLASSES), moved(std::move(counts));
    EXPECT(thrown_by([&] { counts.add(b, f.labels); }) == MOPD_E_ARG);
}

/* Lists hold copies: of temporaries, of paths, of what a container makes anew at each step. */
static void texts_outlive_what_they_came_from(fixture &f)
{
    const std::filesystem::path gold = MOPD_TEST_DIR "/gold/pixels";
    std::vector<std::filesystem::path> paths = {gold / "420.jpg", gold / "444.jpg"};
    mopd::Matrix both = f.encoder.files(paths);
    EXPECT(same(both.row(1), f.encoder.image(mopd::Image(paths[1])).row(0)));
    EXPECT(same(f.encoder.files({paths[0]}), both.row(0)));
    mopd::Texts list = paths;
    paths.clear();
    mopd::Texts copy = list;
    list =
        mopd::Texts{std::string_view("x"), std::string("a longer text than fits into a string itself"), "z"};
    EXPECT(std::string(copy.data()[1]) == (gold / "444.jpg").string() && copy.size() == 2);
    EXPECT(list.size() == 3 && std::string(list.data()[2]) == "z");
    const char *const array[] = {"a", "b"};
    EXPECT(mopd::Texts(array).size() == 2 && mopd::Texts(std::set<std::string>{"q"}).size() == 1);
    EXPECT(mopd::Texts(std::vector<std::string>()).data() == nullptr);
    EXPECT(thrown_by([&] { f.encoder.texts({static_cast<const char *>(nullptr)}); }) == MOPD_E_ARG);
    EXPECT(thrown_by([&] { f.encoder.texts({std::string("a\0b", 3)}); }) == MOPD_E_ARG);
    static_assert(!std::is_constructible_v<mopd::Texts, std::filesystem::path>);
    static_assert(
        !std::is_constructible_v<mopd::Texts, std::string> && !std::is_constructible_v<mopd::Texts, int>);
    static_assert(!std::is_constructible_v<mopd::Texts, const char *>);
}

static void rows_may_be_apart(fixture &f)
{
    const std::size_t height = 5, width = 7, step = width * 3 + 4;
    std::vector<std::uint8_t> packed = noise(height * width * 3), padded(height * step - 4);
    for (std::size_t y = 0; y < height; y++)
        std::copy_n(packed.data() + y * width * 3, width * 3, padded.data() + y * step);
    auto image = [&](auto &samples, std::size_t row_bytes) {
        return mopd::Image::from_samples(samples, height, width, 3, row_bytes);
    };
    EXPECT(same(f.encoder.image(image(padded, step)), f.encoder.image(image(packed, 0))));
    EXPECT(same(f.encoder.image(image(packed, width * 3)), f.encoder.image(image(packed, 0))));
    EXPECT(thrown_by([&] { image(padded, 0); }) == MOPD_E_ARG);
    EXPECT(thrown_by([&] { image(packed, step); }) == MOPD_E_ARG);
    EXPECT(thrown_by([&] { image(packed, width * 3 - 1); }) == MOPD_E_ARG);
    EXPECT(thrown_by([&] { image(packed, std::size_t(-6)); }) == MOPD_E_ARG);
    EXPECT(thrown_by([&] { mopd::Image::from_samples(packed, 0, 7, 3); }) == MOPD_E_ARG);
    EXPECT(thrown_by([&] { mopd::Image::from_samples(packed, 2, std::size_t(-1) / 2, 4); }) == MOPD_E_ARG);
}

static void frames_and_crops(fixture &f)
{
    const std::size_t height = 6, width = 8;
    std::vector<std::uint8_t> rgb = noise(height * width * 3), bgr(rgb.size());
    for (std::size_t i = 0; i < rgb.size(); i++) bgr[i / 3 * 3 + 2 - i % 3] = rgb[i];
    mopd::Frame frame;
    frame.layout = MOPD_LAYOUT_BGR;
    frame.width = width;
    frame.height = height;
    frame.planes[0] = bgr.data();
    const mopd::Image whole = mopd::Image::from_samples(rgb, height, width, 3);
    EXPECT(same(f.encoder.image(mopd::Image::from_frame(frame)), f.encoder.image(whole)));
    frame.x = 2;
    frame.y = 1;
    frame.region_width = 5;
    const mopd::Image part = mopd::Image::from_frame(frame), crop = whole.crop(2, 1, 5, 5);
    EXPECT(part.width() == 5 && part.height() == 5 && crop.width() == 5 && crop.height() == 5);
    EXPECT(std::equal(crop.samples().begin(), crop.samples().end(), part.samples().begin()));
    EXPECT(thrown_by([&] { whole.crop(4, 1, 5, 5); }) == MOPD_E_ARG);
    frame.planes[0] = nullptr;
    EXPECT(thrown_by([&] { mopd::Image::from_frame(frame); }) == MOPD_E_ARG);
}

static void pictures_become_features(fixture &f)
{
    std::vector<mopd::Image> images;
    for (std::size_t side : {9u, 13u})
        images.push_back(mopd::Image::from_samples(noise(side * side * 3), side, side, 3));
    EXPECT(images[1].width() == 13 && images[1].height() == 13 && images[1].samples().size() == 13 * 13 * 3);
    mopd::Matrix both = f.encoder.images(images), one = f.encoder.image(images[1]);
    EXPECT(both.rows() == 2 && both.cols() == TINY_DIM && same(both.row(1), one.row(0)));
    EXPECT(same(f.encoder.pixels(f.encoder.preprocess(images[1])), one));
    EXPECT(f.encoder.preprocess_view(images[1], 5).size() == 3 * TINY_IMAGE * TINY_IMAGE);
    EXPECT(f.encoder.tokenize("a photo of a").size() == 6);
    EXPECT(f.encoder.texts({"a", "b"}).rows() == 2 &&
           f.encoder.texts(std::vector<std::string>{"a"}).rows() == 1);
    EXPECT(images[0].sharpness() > 0 && images[0].sharpness() <= 1);
    const mopd::Matrix signature = images[0].signature();
    EXPECT(signature.rows() == 1 && signature.cols() == MOPD_IMAGE_SIGNATURE);
    mopd::Matrix two(2, MOPD_IMAGE_SIGNATURE);
    for (std::size_t i = 0; i < 2; i++) std::copy_n(signature.data(), signature.cols(), two.row(i).begin());
    const std::vector<mopd_pair> copies = mopd::pairs(two, 0.98);
    EXPECT(copies.size() == 1 && copies[0].first == 0 && copies[0].second == 1);
    EXPECT(mopd::pairs(two, 2).empty() && mopd::pairs(two, -1, 0).empty());
    EXPECT(f.encoder.fingerprint().size() == 64 && f.encoder.describe()[0] == '{');
}

static void what_a_callback_throws_comes_back(fixture &f)
{
    std::vector<std::string> paths = {MOPD_TEST_DIR "/gold/pixels/420.jpg", "/nonexistent/b.jpg"};
    std::size_t n_seen = 0, n_bad = 0;
    f.encoder.files(
        paths, [&](std::size_t, mopd_status status, const char *, mopd::span<const float> feature) {
            n_seen++;
            if (status != MOPD_OK) n_bad++;
            EXPECT(feature.size() == (status == MOPD_OK ? TINY_DIM : 0));
        });
    EXPECT(n_seen == 2 && n_bad == 1);
    EXPECT(thrown_by([&] { f.encoder.files(paths); }) == MOPD_E_IO);
    EXPECT(f.encoder.files({paths[0].c_str()}).rows() == 1);
    EXPECT(thrown_by([&] { f.encoder.files(paths, [](auto &&...) { return false; }); }) == MOPD_E_CANCELLED);
    bool caught = false;
    try {
        f.encoder.files(paths, [](auto &&...) { throw std::logic_error("mine"); });
    } catch (const std::logic_error &e) {
        caught = std::string(e.what()) == "mine";
    }
    EXPECT(caught);
}

static void banks_rank(fixture &f)
{
    mopd::Bank bank(f.encoder, f.classes, {"a photo of a {}.", "{}"});
    mopd::Matrix p = bank.probabilities(f.features);
    auto best = bank.top(f.features, 99);
    EXPECT(best.size() == f.labels.size() && best[0].size() == TINY_CLASSES);
    EXPECT(
        best[0][0].probability == p(0, best[0][0].index) && best[0][0].probability >= best[0][1].probability);
    mopd::Bank copy(f.classes, bank.features(), f.encoder.info().logit_scale);
    mopd::Matrix x = copy.logits(f.features), y = bank.logits(f.features);
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); i++)
        worst = std::fmax(worst, std::fabs(double(x.data()[i]) - double(y.data()[i])));
    EXPECT(worst < 1e-4);
    EXPECT(mopd::templates_for("dtd").size() == 12);
    mopd::Gda gda(bank, f.features, f.labels);
    EXPECT(gda.alpha() > 0 && mopd::Gda(gda, bank).logits(f.features).rows() == f.labels.size());
    const std::string head = test_path("head.safetensors");
    gda.save(head);
    const mopd::Gda opened(head, f.encoder);
    EXPECT(same(mopd::Gda(head).probabilities(f.features), gda.probabilities(f.features)));
    EXPECT(opened.n_classes() == TINY_CLASSES && opened.dim() == TINY_DIM &&
           opened.class_name(1) == f.classes[1]);
    EXPECT(opened.temperature() == gda.temperature() && opened.class_name(TINY_CLASSES).empty());
    EXPECT(thrown_by([&] { mopd::Gda(head, mopd::Encoder(tiny_model(2))); }) == MOPD_E_MISMATCH);
    const mopd::Bank tuned = bank.calibrated(f.features, f.labels);
    EXPECT(tuned.logit_scale() != bank.logit_scale() && same(tuned.features(), bank.features()));
    EXPECT(thrown_by([&] { (void)bank.calibrated({f.features.data(), 5}, f.labels); }) == MOPD_E_ARG);
    mopd::Confusion confusion(TINY_CLASSES);
    confusion.add(gda.logits(f.features), f.labels);
    EXPECT(confusion.metrics().n == f.labels.size());
    EXPECT(thrown_by([] { mopd::check_classes({"Cup", "cup"}); }) == MOPD_E_ARG);
    mopd::check_classes({"cup", "ball"});
    const auto [low, high] = mopd::accuracy_interval(9, 10);
    EXPECT(low > 50 && low < 90 && high > 90 && high < 100);
    mopd::Calibration calibration;
    calibration.add(gda.logits(f.features), f.labels);
    EXPECT(calibration.ece() >= 0 && calibration.ece() <= 100 && calibration.nll() > 0);
    EXPECT(calibration.sums().size() == MOPD_CALIBRATION_SUMS);
    mopd::save(test_path("logits.npy"), y);
    const mopd::Matrix read = mopd::load(test_path("logits.npy"));
    EXPECT(read.rows() == y.rows() && read.cols() == y.cols() && same(read, y));
    EXPECT(thrown_by([] { mopd::load("/nonexistent.npy"); }) == MOPD_E_IO);
    mopd::save(test_path("page.html"), std::string("<p>a\0b", 6));
    EXPECT(thrown_by([] { mopd::save("/nonexistent/page.html", std::string("x")); }) == MOPD_E_IO);
    bank.save(test_path("bank.safetensors"));
    const mopd::Bank again(test_path("bank.safetensors"), f.encoder), alone(test_path("bank.safetensors"));
    EXPECT(same(again.features(), bank.features()) && again.templates() == bank.templates());
    EXPECT(alone.logit_scale() == f.encoder.info().logit_scale && alone.templates().size() == 2);
    EXPECT(alone.fingerprint() == f.encoder.fingerprint() && copy.fingerprint().empty());
}

static void trainers_learn_stop_and_go_on(fixture &f)
{
    const mopd::Texts templates = {"a photo of a {}.", "{}", "of {}"};
    mopd::Trainer whole(f.encoder, f.classes, short_training(), templates);
    std::uint32_t epochs = 0;
    EXPECT(whole.run(f.features, f.labels, 1, [&](const mopd_epoch &e) { epochs = e.epoch; }) && epochs == 3);
    mopd::Trainer parted(f.encoder, f.classes, short_training(), templates);
    EXPECT(!parted.run(f.features, f.labels, 1, [](const mopd_epoch &e) { return e.epoch < 2; }));
    EXPECT(parted.run(f.features, f.labels));
    mopd::Prompt a = whole.prompt(), b = parted.prompt();
    EXPECT(same(a.context(), b.context()) && same(a.gate(), b.gate()) && a.gate().size() == TINY_DIM * 3);
    a.save(test_path("p.safetensors"));
    mopd::Prompt again(test_path("p.safetensors"), f.encoder);
    EXPECT(again.class_names() == f.classes && again.templates().size() == 3 && again.method() == "mopd");
    EXPECT(same(mopd::Bank::learned(f.encoder, again).features(), whole.bank().features()));
    EXPECT(mopd::Bank::learned(f.encoder, again, {"new"}).n_classes() == 1);
    EXPECT(same(mopd::Bank::learned(f.encoder, again, {}, 0.5f).features(), whole.bank().features()));
    EXPECT(!same(mopd::Bank::learned(f.encoder, again, {"new"}, 0.5f).features(),
        mopd::Bank::learned(f.encoder, again, {"new"}).features()));
    EXPECT(whole.n_epochs(f.labels.size()) == 3);
    mopd::Gate gate(again);
    EXPECT(gate.select(f.features).indices.size() == f.labels.size() * 2 && gate.use(f.features).size() == 3);
    EXPECT(mopd::inspect(test_path("p.safetensors")).find("kind") != std::string::npos);
    mopd::Trainer views(f.encoder, f.classes, short_training(), templates);
    EXPECT(views.run_views(f.labels, [&](std::uint32_t, mopd::span<float> out) {
        std::copy(f.features.data(), f.features.data() + f.features.size(), out.begin());
    }));
    EXPECT(same(views.prompt().context(), a.context()));
    bool caught = false;
    try {
        mopd::Trainer(f.encoder, f.classes, short_training(), templates).run_views(f.labels, [](auto &&...) {
            throw 7;
        });
    } catch (int number) {
        caught = number == 7;
    }
    EXPECT(caught);
}

/* Steps are told as epochs are, may stop, and what they throw comes back. */
static void steps_are_told(fixture &f)
{
    mopd::Run r;
    r.n = f.labels.size();
    r.features = f.features.data();
    r.labels = f.labels.data();
    mopd::Trainer trainer(f.encoder, f.classes, short_training(), {"{}", "of {}"});
    std::uint32_t steps = 0, epochs = 0;
    auto count = [&](const mopd_step &) { steps++; };
    EXPECT(!trainer.run(
        r, [&](const mopd_epoch &e) { return (epochs = e.epoch) < 2; }, count));
    EXPECT(epochs == 2 && steps == 2 * (f.labels.size() / 8));
    EXPECT(!trainer.run(r, mopd::ignore(), [](const mopd_step &) { return false; }));
    bool caught = false;
    try {
        trainer.run(r, mopd::ignore(), [](const mopd_step &) { throw 'c'; });
    } catch (char c) {
        caught = c == 'c';
    }
    EXPECT(caught && trainer.run(r));
}

static void recognizers_know_and_refuse(fixture &f)
{
    mopd::RecognizerOptions o;
    o.keep = 0.9;
    mopd::Recognizer r(f.encoder, f.classes, f.features, f.labels, o, {"a photo of a {}.", "{}"});
    EXPECT(r.dim() == TINY_DIM && r.n_classes() == TINY_CLASSES && r.class_names() == f.classes);
    EXPECT(r.info().n_pictures == f.labels.size() && r.info().keep == 0.9);
    const mopd::Matrix logits = r.logits(f.features), shares = r.probabilities(f.features);
    const auto best = r.top(f.features, 2);
    const std::vector<float> scores = r.scores(f.features);
    for (std::size_t i = 0; i < best.size(); i++) {
        double sum = 0, energy = 0;
        for (std::size_t c = 0; c < TINY_CLASSES; c++) {
            sum += double(shares(i, c));
            energy += std::exp(double(logits(i, c)));
        }
        EXPECT(std::fabs(sum - 1) < 1e-5 && std::fabs(std::log(energy) - double(scores[i])) < 1e-4);
        EXPECT(best[i].size() == 2 && best[i][0].logit == logits(i, best[i][0].index));
        EXPECT(best[i][0].probability >= best[i][1].probability);
    }
    r.save(test_path("r.safetensors"));
    const mopd::Recognizer again(test_path("r.safetensors"), f.encoder);
    EXPECT(same(again.logits(f.features), logits) &&
           mopd::Recognizer(test_path("r.safetensors")).dim() == TINY_DIM);
    EXPECT(thrown_by([] { mopd::Recognizer(std::string("/nonexistent")); }) == MOPD_E_IO);
    EXPECT(thrown_by([&] { r.extend(f.features, {f.labels.data(), 1}); }) == MOPD_E_ARG);
    mopd::Recognizer taken = mopd::Recognizer::adopt(mopd::Recognizer(test_path("r.safetensors")).release());
    EXPECT(taken.dim() == TINY_DIM && taken.class_name(0) == f.classes[0] && taken.class_name(99).empty());
}

/* A long call tells how far it has come, may be stopped, and hands on what is thrown; threads are those asked for. */
static void long_calls_are_watched(fixture &f)
{
    const std::vector<std::string> texts(40, "a photo");
    const mopd::Matrix wanted = f.encoder.texts(texts);
    std::size_t last = 0, all = 0;
    auto note = [&](std::size_t done, std::size_t total) { last = done, all = total; };
    auto encode = [&](const mopd::Encoder &share) { return share.texts(texts); };
    EXPECT(same(f.encoder.watch(note, encode), wanted) && last == texts.size() && all == texts.size());
    EXPECT(thrown_by([&] { f.encoder.watch([](auto &&...) { return false; }, encode); }) == MOPD_E_CANCELLED);
    bool caught = false;
    try {
        f.encoder.watch([](auto &&...) { throw 1.5; }, encode);
    } catch (double number) {
        caught = number == 1.5;
    }
    EXPECT(
        caught && same(f.encoder.share(1).texts(texts), wanted) && f.encoder.share(2).info().n_threads == 2);
    EXPECT(thrown_by([&] { f.encoder.share(5000); }) == MOPD_E_ARG);
    mopd::Encoder last_one = mopd::Encoder(tiny_model(1)).share();
    EXPECT(last_one.texts({"a"}).rows() == 1);
}

/* 24 pictures a class: enough for a cut-off, for sets, and for a label that is wrong. */
static void recognizers_judge_by_what_was_left_out(fixture &f)
{
    const std::size_t n = TINY_CLASSES * 24;
    mopd::Matrix features(n, TINY_DIM);
    std::vector<std::int32_t> labels(n);
    tiny_features(f.encoder.get(), 24, 1, 7, features.data(), labels.data());
    const std::int32_t right = labels[0];
    labels[0] = (right + 1) % TINY_CLASSES;
    mopd::Recognizer r(f.encoder, f.classes, features, labels);
    const auto suspects = r.suspects();
    bool found = false;
    for (const mopd_suspect &s : suspects) found = found || (s.index == 0 && s.other == right);
    EXPECT(found && suspects.size() < n);
    std::size_t kept = 0, covered = 0;
    const std::vector<bool> known = r.known(features);
    const auto sets = r.sets(features, 0.9);
    for (std::size_t i = 0; i < n; i++) {
        kept += known[i];
        for (std::uint32_t c : sets[i]) covered += c == static_cast<std::uint32_t>(labels[i]);
        EXPECT(!sets[i].empty());
    }
    EXPECT(kept > n * 3 / 4 && covered > n * 3 / 4);
    const mopd::Matrix left = r.left_out();
    EXPECT(left.rows() == n && left.cols() == TINY_CLASSES);
    for (const mopd_suspect &s : suspects)
        EXPECT(std::fabs(double(left(s.index, std::size_t(s.label))) - s.probability) < 1e-6);
    EXPECT(r.alarms(0) == 0 && r.alarms(0.5) <= r.alarms(1) && thrown_by([&] { r.alarms(2); }) == MOPD_E_ARG);
    const auto [low, high] = r.more();
    EXPECT(low >= 0 && high >= low);
    const mopd::Recognizer without = r.withdraw(std::vector<std::size_t>{0});
    EXPECT(without.info().n_pictures == n - 1 && without.dim() == TINY_DIM);
    const std::vector<std::int32_t> mended = {right};
    EXPECT(without.extend(features.row(0), mended).info().n_pictures == n);
    const mopd::Recognizer others = r.with_classes(f.encoder, {f.classes[1], "zebra"});
    EXPECT(others.n_classes() == 2 && others.class_name(1) == "zebra" && others.logits(features).cols() == 2);
}

static void datasets_select_and_encode(fixture &f)
{
    const std::string list = test_path("list.csv");
    std::ofstream out(list);
    out << "path,label\n";
    for (const char *name : {"420.jpg", "422.jpg", "444.jpg", "drawn.png"})
        out << MOPD_TEST_DIR "/gold/pixels/" << name << "," << (name[0] == 'd' ? "drawn" : "coded") << "\n";
    out.close();
    mopd::Dataset data(list);
    EXPECT(data.size() == 4 && data.n_classes() == 2 && data.class_name(1) == "drawn" &&
           data.feature(0).empty());
    bool complete = true;
    mopd::Dataset part = data.encode(
        f.encoder, {}, [](std::size_t done, auto &&...) { return done < 2; }, &complete);
    EXPECT(!complete && part && part.size() < 4);
    mopd::Dataset all = data.encode(f.encoder, {}, mopd::ignore(), nullptr, &part);
    EXPECT(
        same(all.gather(), data.encode(f.encoder).gather()) && all.fingerprint() == f.encoder.fingerprint());
    all.save(test_path("store.safetensors"));
    mopd::Selection one;
    one.shots = 1;
    EXPECT(mopd::Dataset(test_path("store.safetensors")).select(one).size() == 2);
    EXPECT(all.leave_out(0).size() == 3 && all.without_class("drawn").n_classes() == 1);
    EXPECT(all.pick(std::vector<std::size_t>{1, 3}).labels()[1] == 1 &&
           std::string(all.item(3).path).size() > 0);
    EXPECT(mopd::Dataset::adopt(all.release()).size() == 4 && !all);
}

int main()
{
    test_count_start();
    {
        fixture f;
        for (auto fact :
            {failures_are_exceptions, handles_move, handles_of_c_are_taken_over, what_was_moved_from_is_empty,
                texts_outlive_what_they_came_from, rows_may_be_apart, frames_and_crops,
                pictures_become_features, what_a_callback_throws_comes_back, banks_rank,
                trainers_learn_stop_and_go_on, steps_are_told, recognizers_know_and_refuse,
                long_calls_are_watched, recognizers_judge_by_what_was_left_out, datasets_select_and_encode}) {
            int before = n_failed;
            fact(f);
            n_passed += n_failed == before;
        }
    }
    EXPECT(test_count_live() == 0);
    std::printf("%d passed, %d failed\n", n_passed, n_failed);
    return n_failed != 0;
}
