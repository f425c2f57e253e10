/* SPDX-License-Identifier: MIT
 * mopd.hpp - libmopd for C++17: handles that free themselves, lists of texts, exceptions; nothing to
 * link beyond libmopd.
 *
 * Every class owns one C handle and can be moved but not copied.  get() gives the handle for calls that have no
 * wrapper, release() gives it away, adopt() takes one over that C has made.  What was moved from is empty: its
 * numbers are 0, and a call with it throws MOPD_E_ARG.
 *
 * Arrays come back as mopd::Matrix, rows x cols floats; arrays go in as mopd::span, a pointer and a size.  A
 * status that is not MOPD_OK becomes mopd::error.
 *
 * A callback is any callable that returns nothing, or bool: false stops.  One that returns a number does not
 * compile, since the C callbacks' 0 means to go on.  What a callback throws never crosses the C library: the
 * call ends, then it is thrown again.  Callbacks that are set as pointers in a C struct must not throw.
 *
 * Threads, shapes and units are those of the C functions.  Since 0.1. */
#ifndef MOPD_MOPD_HPP
#define MOPD_MOPD_HPP

#if !(__cplusplus >= 201703L || (defined(_MSVC_LANG) && _MSVC_LANG >= 201703L))
#error "mopd/mopd.hpp needs C++17 (-std=c++17, or mopd::cxx in CMake); with older C++ include mopd/mopd.h"
#endif

#include "mopd.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mopd {

/* -- errors ------------------------------------------------------------------------------------------------- */

/* A failed call: what() is the library's sentence with file, place and reason; status() is MOPD_E_.... */
class error : public std::runtime_error {
  public:
    error(mopd_status status, const std::string &message) : std::runtime_error(message), status_(status) {}

    mopd_status status() const noexcept { return status_; }

    const char *name() const noexcept { return mopd_status_name(status_); }

  private:
    mopd_status status_;
};

/* Throws mopd::error, with the thread's last message, unless status is MOPD_OK. */
inline void check(mopd_status status)
{
    if (status != MOPD_OK) throw error(status, mopd_last_error());
}

/* -- arrays and texts --------------------------------------------------------------------------------------- */

/* n values that somebody else owns: made from a pointer and a size, or from anything with data() and size(). */
template <class T> class span {
  public:
    constexpr span() noexcept = default;

    constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}

    template <class C,
        class = std::enable_if_t<!std::is_same_v<std::decay_t<C>, span> &&
                                 std::is_convertible_v<decltype(std::declval<C &>().data()), T *>>>
    constexpr span(C &&values) noexcept : data_(values.data()), size_(values.size())
    {
    }

    constexpr T *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr T *begin() const noexcept { return data_; }
    constexpr T *end() const noexcept { return data_ + size_; }
    constexpr T &operator[](std::size_t i) const noexcept { return data_[i]; }

  private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail {

/* A value that belongs to its object: T() once that was moved from. */
template <class T> class own {
  public:
    own(T value = T()) : value_(value) {}
    own(const own &other) = default;
    own(own &&other) noexcept : value_(std::exchange(other.value_, T())) {}
    own &operator=(const own &other) = default;

    own &operator=(own &&other) noexcept
    {
        value_ = std::exchange(other.value_, T());
        return *this;
    }

    const T &operator*() const noexcept { return value_; }

  private:
    T value_;
};

template <class T>
inline constexpr bool is_text =
    std::is_convertible_v<const T &, std::string_view> || std::is_convertible_v<const T &, std::string>;

/* One text of a list, copied. */
class text {
  public:
    template <class T, class = std::enable_if_t<is_text<T>>> text(const T &from) : value_(copy(from))
    {
        if (value_.find('\0') != std::string::npos)
            throw error(MOPD_E_ARG, "a text holds a zero character: " + value_);
    }

    const char *get() const noexcept { return value_.c_str(); }

  private:
    template <class T> static std::string copy(const T &from)
    {
        if constexpr (std::is_convertible_v<const T &, const char *>) {
            const char *characters = from;
            if (!characters) throw error(MOPD_E_ARG, "a text is NULL");
            return characters;
        } else if constexpr (std::is_convertible_v<const T &, std::string_view>) {
            return std::string(std::string_view(from));
        } else {
            return from;
        }
    }

    std::string value_;
};

} // namespace detail

/* rows x cols floats, row-major, that own themselves. */
class Matrix {
  public:
    Matrix() = default;

    Matrix(std::size_t rows, std::size_t cols) : rows_(rows), cols_(cols)
    {
        if (cols && rows > std::size_t(-1) / cols) throw std::length_error("mopd::Matrix");
        values_.resize(rows * cols);
    }

    std::size_t rows() const noexcept { return *rows_; }
    std::size_t cols() const noexcept { return *cols_; }
    std::size_t size() const noexcept { return values_.size(); }
    float *data() noexcept { return values_.data(); }
    const float *data() const noexcept { return values_.data(); }
    span<float> row(std::size_t i) noexcept { return {values_.data() + i * cols(), cols()}; }
    span<const float> row(std::size_t i) const noexcept { return {values_.data() + i * cols(), cols()}; }
    float operator()(std::size_t i, std::size_t j) const noexcept { return values_[i * cols() + j]; }

  private:
    detail::own<std::size_t> rows_, cols_;
    std::vector<float> values_;
};

/* A list of texts, copied: from {"a", b}, or from a container of anything that is or becomes a std::string, such
 * as std::string, const char *, std::string_view or std::filesystem::path.  Copies of a list share the texts. */
class Texts {
  public:
    Texts() = default;

    Texts(std::initializer_list<detail::text> list) : Texts(std::vector<detail::text>(list)) {}

    template <class C, class = std::enable_if_t<!std::is_same_v<C, Texts> && !detail::is_text<C>>,
        class =
            std::enable_if_t<detail::is_text<std::decay_t<decltype(*std::begin(std::declval<const C &>()))>>>>
    Texts(const C &list) : Texts(std::vector<detail::text>(std::begin(list), std::end(list)))
    {
    }

    template <class T, std::enable_if_t<detail::is_text<T>, int> = 0>
    Texts(const T &one) = delete; /* one text, or one path, is no list of them: write {one} */

    const char *const *data() const noexcept { return item_.empty() ? nullptr : item_.data(); }
    std::size_t size() const noexcept { return item_.size(); }

  private:
    explicit Texts(std::vector<detail::text> &&all)
        : text_(std::make_shared<const std::vector<detail::text>>(std::move(all)))
    {
        for (const detail::text &text : *text_) item_.push_back(text.get());
    }

    std::shared_ptr<const std::vector<detail::text>> text_;
    std::vector<const char *> item_;
};

/* -- inner things ------------------------------------------------------------------------------------------- */

namespace detail {

/* The one owner of a C handle. */
template <class T, void (*Free)(T *)> class handle {
  public:
    handle(handle &&other) noexcept = default;
    handle &operator=(handle &&other) noexcept = default;

    /* The C handle, still owned here; NULL after a move. */
    T *get() const noexcept { return owner_.get(); }

    /* The C handle, owned by the caller from now on. */
    T *release() noexcept { return owner_.release(); }

    explicit operator bool() const noexcept { return owner_ != nullptr; }

  protected:
    handle() = default;
    explicit handle(T *taken) noexcept : owner_(taken) {}

    /* Runs make(T **) and keeps what it made, even when it failed with something made. */
    template <class Make> void make(Make &&made)
    {
        T *out = nullptr;
        mopd_status status = made(&out);
        owner_.reset(out);
        check(status);
    }

  private:
    struct freer {
        void operator()(T *p) const noexcept { Free(p); }
    };

    std::unique_ptr<T, freer> owner_;
};

/* Frees what the library handed out. */
struct free_block {
    void operator()(void *p) const noexcept { mopd_free(p); }
};

template <class T> using block = std::unique_ptr<T, free_block>;

inline std::string take_text(char *text)
{
    block<char> owner(text);
    return text ? std::string(text) : std::string();
}

/* The number of rows of width `dim` in values. */
inline std::size_t rows_of(span<const float> values, std::size_t dim)
{
    if (dim == 0 || values.size() % dim != 0)
        throw error(
            MOPD_E_ARG, std::to_string(values.size()) + " floats are no rows of " + std::to_string(dim));
    return values.size() / dim;
}

inline void need(const char *what, std::size_t got, std::size_t wanted)
{
    if (got != wanted)
        throw error(MOPD_E_ARG,
            std::string(what) + ": " + std::to_string(got) + " given, " + std::to_string(wanted) + " needed");
}

/* n x each matches as one list a picture. */
inline std::vector<std::vector<mopd_match>> rankings(const std::vector<mopd_match> &flat, std::size_t each)
{
    std::vector<std::vector<mopd_match>> all;
    for (auto at = flat.begin(); at != flat.end(); at += static_cast<std::ptrdiff_t>(each))
        all.emplace_back(at, at + static_cast<std::ptrdiff_t>(each));
    return all;
}

/* A callable on its way through C: what it throws is kept, and the C side is told to stop. */
template <class F> struct callback {
    F *call;
    std::exception_ptr thrown = nullptr;

    /* 0 to go on, 1 to stop: the C callbacks' answer. */
    template <class... Args> int operator()(Args &&...args) noexcept
    {
        using answer = std::decay_t<std::invoke_result_t<F &, Args...>>;
        static_assert(std::is_void_v<answer> || std::is_same_v<answer, bool>,
            "a callback of mopd.hpp returns nothing, or bool: false stops (a number could mean the opposite, "
            "as in C)");
        try {
            if constexpr (std::is_same_v<answer, bool>)
                return (*call)(std::forward<Args>(args)...) ? 0 : 1;
            else
                return (*call)(std::forward<Args>(args)...), 0;
        } catch (...) {
            thrown = std::current_exception();
            return 1;
        }
    }

    void rethrow() const
    {
        if (thrown) std::rethrow_exception(thrown);
    }
};

} // namespace detail

/* A callback that does nothing. */
struct ignore {
    template <class... Args> void operator()(Args &&...) const noexcept {}
};

/* -- options: the C structs, filled with the defaults ------------------------------------------------------- */

template <class T, mopd_status (*Init)(T *, std::size_t)> struct options : T {
    options() : T() { check(Init(this, sizeof(T))); }
};

using Limits = options<mopd_limits, mopd_limits_init>;
using ImageOptions = options<mopd_image_options, mopd_image_options_init>;
using Frame = options<mopd_frame, mopd_frame_init>;
using EncoderOptions = options<mopd_encoder_options, mopd_encoder_options_init>;
using ShareOptions = options<mopd_share_options, mopd_share_options_init>;
using DatasetOptions = options<mopd_dataset_options, mopd_dataset_options_init>;
using EncodeOptions = options<mopd_encode_options, mopd_encode_options_init>;
using Selection = options<mopd_selection, mopd_selection_init>;
using TrainerOptions = options<mopd_trainer_options, mopd_trainer_options_init>;
using Run = options<mopd_run, mopd_run_init>;
using RecognizerOptions = options<mopd_recognizer_options, mopd_recognizer_options_init>;

/* -- pictures ----------------------------------------------------------------------------------------------- */

class Image : public detail::handle<mopd_image, mopd_image_close> {
  public:
    explicit Image(const std::string &path, const ImageOptions &o = {})
    {
        make([&](mopd_image **out) { return mopd_image_open(out, path.c_str(), &o); });
    }

    /* A picture file's bytes. */
    static Image decode(span<const std::uint8_t> bytes, const ImageOptions &o = {})
    {
        Image image;
        image.make([&](mopd_image **out) { return mopd_image_decode(out, bytes.data(), bytes.size(), &o); });
        return image;
    }

    /* Raw samples, height x width x channels (1, 3 or 4), rows row_bytes apart (0: packed). */
    static Image from_samples(span<const std::uint8_t> samples, std::size_t height, std::size_t width,
        std::size_t channels, std::size_t row_bytes = 0)
    {
        if (!holds(samples.size(), height, width, channels, row_bytes))
            throw error(MOPD_E_ARG, std::to_string(samples.size()) + " samples are no picture of " +
                                        std::to_string(height) + " rows of " + std::to_string(width) + " x " +
                                        std::to_string(channels));
        Image image;
        image.make([&](mopd_image **out) {
            return mopd_image_create(out, samples.data(), height, width, channels, row_bytes);
        });
        return image;
    }

    /* A frame of any layout, or a region of it.  With MOPD_FRAME_BORROW its samples must stay as they are while the image
     * lives. */
    static Image from_frame(const Frame &frame)
    {
        Image image;
        image.make([&](mopd_image **out) { return mopd_image_create_frame(out, &frame); });
        return image;
    }

    /* Columns [x, x + width) and rows [y, y + height), copied. */
    Image crop(std::size_t x, std::size_t y, std::size_t width, std::size_t height) const
    {
        Image part;
        part.make([&](mopd_image **out) { return mopd_image_crop(out, get(), x, y, width, height); });
        return part;
    }

    /* Takes over a C handle. */
    static Image adopt(mopd_image *taken) noexcept { return Image(taken); }

    /* Whether a file of this name is taken for a picture. */
    static bool takes(const std::string &path) noexcept { return mopd_image_takes(path.c_str()) != 0; }

    std::size_t width() const noexcept { return mopd_image_width(get()); }
    std::size_t height() const noexcept { return mopd_image_height(get()); }

    /* height x width x 3; owned by the image. */
    span<const std::uint8_t> samples() const noexcept
    {
        return {mopd_image_samples(get()), width() * height() * 3};
    }

    /* From 0 for a blurred picture to 1. */
    double sharpness() const
    {
        double out = 0;
        check(mopd_image_sharpness(get(), &out));
        return out;
    }

    /* One row, whose product with that of another picture is above 0.98 for a copy. */
    Matrix signature() const
    {
        Matrix out(1, MOPD_IMAGE_SIGNATURE);
        check(mopd_image_signature(get(), out.data()));
        return out;
    }

  private:
    Image() = default;
    explicit Image(mopd_image *taken) noexcept : handle(taken) {}

    /* Whether n samples reach to the end of the last row, and packed ones no further. */
    static bool holds(
        std::size_t n, std::size_t height, std::size_t width, std::size_t channels, std::size_t row_bytes)
    {
        if (!height || !width || !channels || width > std::size_t(-1) / channels) return false;
        std::size_t line = width * channels, step = row_bytes ? row_bytes : line;
        if (n < line || (n - line) / step < height - 1) return false;
        return row_bytes || n - line == (height - 1) * line;
    }
};

/* -- models ------------------------------------------------------------------------------------------------- */

class Encoder : public detail::handle<mopd_encoder, mopd_encoder_close> {
  public:
    /* The built-in model. */
    Encoder() : Encoder(nullptr, EncoderOptions()) {}

    explicit Encoder(const EncoderOptions &o) : Encoder(nullptr, o) {}

    explicit Encoder(const std::string &path, const EncoderOptions &o = {}) : Encoder(path.c_str(), o) {}

    explicit Encoder(const char *path, const EncoderOptions &o = {})
    {
        make([&](mopd_encoder **out) { return mopd_encoder_open(out, path, &o); });
        ask();
    }

    /* Takes over a C handle. */
    static Encoder adopt(mopd_encoder *taken) { return Encoder(adopted(), taken); }

    /* The same open model once more, with n_threads of its own (0: those of this one). */
    Encoder share(std::uint32_t n_threads = 0) const
    {
        ShareOptions o;
        o.n_threads = n_threads;
        return share(o);
    }

    Encoder share(const ShareOptions &o) const
    {
        mopd_encoder *shared = nullptr;
        check(mopd_encoder_share(&shared, get(), &o));
        return adopt(shared);
    }

    /* call(share), a share of this model that tells progress(done, total) how far an encoding has come; false stops,
     * and MOPD_E_CANCELLED is thrown.  What call returns must not need the share any more, as a Trainer does. */
    template <class P, class Call>
    std::invoke_result_t<Call &, const Encoder &> watch(P &&progress, Call &&call) const
    {
        using callable = std::remove_reference_t<P>;
        detail::callback<callable> told{&progress};
        ShareOptions o;
        o.progress = [](void *context, std::size_t done, std::size_t total) noexcept -> int {
            return (*static_cast<detail::callback<callable> *>(context))(done, total);
        };
        o.context = &told;
        const Encoder shared = share(o);
        try {
            return call(shared);
        } catch (...) {
            told.rethrow();
            throw;
        }
    }

    const mopd_encoder_info &info() const noexcept { return *info_; }
    std::size_t dim() const noexcept { return info().dim; }
    std::string fingerprint() const { return mopd_encoder_fingerprint(get()); }

    /* JSON. */
    std::string describe() const
    {
        char *json = nullptr;
        check(mopd_encoder_describe(get(), &json));
        return detail::take_text(json);
    }

    std::vector<std::uint32_t> tokenize(const std::string &text) const
    {
        std::uint32_t *ids = nullptr;
        std::size_t n = 0;
        check(mopd_encoder_tokenize(get(), text.c_str(), &ids, &n));
        detail::block<std::uint32_t> owner(ids);
        return std::vector<std::uint32_t>(ids, ids + n);
    }

    /* One row a text. */
    Matrix texts(const Texts &list) const
    {
        Matrix features(list.size(), dim());
        check(mopd_encoder_encode_texts(get(), list.data(), list.size(), features.data()));
        return features;
    }

    /* One row a picture. */
    Matrix images(span<const Image> list) const
    {
        std::vector<const mopd_image *> handles;
        for (const Image &image : list) handles.push_back(image.get());
        Matrix features(list.size(), dim());
        check(mopd_encoder_encode_images(get(), handles.data(), handles.size(), features.data()));
        return features;
    }

    Matrix image(const Image &image) const { return images({&image, 1}); }

    /* The first n_views of each picture's fixed views, one row a view, for a Recognizer. */
    Matrix views(span<const Image> list, std::size_t n_views = MOPD_FIXED_VIEWS) const
    {
        std::vector<const mopd_image *> handles;
        for (const Image &image : list) handles.push_back(image.get());
        Matrix features(list.size() * n_views, dim());
        check(mopd_encoder_encode_views(get(), handles.data(), handles.size(), n_views, features.data()));
        return features;
    }

    /* One row a file, decoded and encoded side by side; the first bad picture is thrown as mopd::error. */
    Matrix files(const Texts &paths) const
    {
        Matrix features(paths.size(), dim());
        files(paths, [&](std::size_t i, mopd_status status, const char *message, span<const float> feature) {
            if (status != MOPD_OK) throw error(status, message);
            for (std::size_t d = 0; d < feature.size(); d++) features.row(i)[d] = feature[d];
        });
        return features;
    }

    /* fn(index, status, message, feature) once a file, in order; feature is empty for a bad picture. */
    template <class F> void files(const Texts &paths, F &&fn) const
    {
        files_call<std::remove_reference_t<F>> call{{&fn}, dim()};
        mopd_status status = mopd_encoder_encode_files(
            get(), paths.data(), paths.size(), files_call<std::remove_reference_t<F>>::pass, &call);
        call.fn.rethrow();
        check(status);
    }

    /* What the tower sees: 3 x S x S as one row. */
    Matrix preprocess(const Image &image) const
    {
        Matrix pixels(1, n_pixels());
        check(mopd_encoder_preprocess(get(), image.get(), pixels.data()));
        return pixels;
    }

    /* A training view, drawn from seed alone. */
    Matrix preprocess_view(const Image &image, std::uint64_t seed) const
    {
        Matrix pixels(1, n_pixels());
        check(mopd_encoder_preprocess_view(get(), image.get(), seed, pixels.data()));
        return pixels;
    }

    /* n x 3 x S x S. */
    Matrix pixels(span<const float> values) const
    {
        Matrix features(detail::rows_of(values, n_pixels()), dim());
        check(mopd_encoder_encode_pixels(get(), values.data(), features.rows(), features.data()));
        return features;
    }

    /* dtype: MOPD_DTYPE_.... */
    /* dtype: with MOPD_PACK_PANELS or without. */
    void pack(const std::string &path, std::int32_t dtype = MOPD_DTYPE_F32) const
    {
        check(mopd_encoder_pack(get(), path.c_str(), dtype));
    }

    /* In 8 bits, balanced by what the image tower computes from up to 64 of these files. */
    void pack_calibrated(const std::string &path, const Texts &pictures) const
    {
        check(mopd_encoder_pack_calibrated(
            get(), path.c_str(), MOPD_DTYPE_I8, pictures.data(), pictures.size()));
    }

    /* GFLOP/s of the matrix product here and now. */
    double gemm_rate() const
    {
        double gflops = 0;
        check(mopd_encoder_gemm_rate(get(), &gflops));
        return gflops;
    }

  private:
    template <class F> struct files_call {
        detail::callback<F> fn;
        std::size_t dim;

        static int pass(void *context, std::size_t index, mopd_status status, const char *message,
            const float *feature) noexcept
        {
            files_call *self = static_cast<files_call *>(context);
            return self->fn(index, status, message, span<const float>(feature, feature ? self->dim : 0));
        }
    };

    struct adopted {};

    Encoder(adopted, mopd_encoder *taken) : handle(taken) { ask(); }

    void ask()
    {
        mopd_encoder_info info = {};
        info.struct_size = sizeof info;
        check(mopd_encoder_get_info(get(), &info));
        info_ = info;
    }

    std::size_t n_pixels() const noexcept { return std::size_t(3) * info().image_size * info().image_size; }

    detail::own<mopd_encoder_info> info_;
};

/* What a model, prompt file, checkpoint or feature store holds, as JSON. */
inline std::string inspect(const std::string &path)
{
    char *json = nullptr;
    check(mopd_inspect(path.c_str(), &json));
    return detail::take_text(json);
}

/* -- prompts and classes ------------------------------------------------------------------------------------ */

class Prompt : public detail::handle<mopd_prompt, mopd_prompt_close> {
  public:
    explicit Prompt(const std::string &path)
    {
        make([&](mopd_prompt **out) { return mopd_prompt_open(out, path.c_str(), nullptr); });
    }

    /* Throws MOPD_E_MISMATCH when the prompt was learned with another model. */
    Prompt(const std::string &path, const Encoder &encoder)
    {
        make([&](mopd_prompt **out) { return mopd_prompt_open(out, path.c_str(), encoder.get()); });
    }

    /* Takes over a C handle. */
    explicit Prompt(mopd_prompt *taken) noexcept : handle(taken) {}
    static Prompt adopt(mopd_prompt *taken) noexcept { return Prompt(taken); }

    mopd_prompt_info info() const
    {
        mopd_prompt_info info = {};
        info.struct_size = sizeof info;
        check(mopd_prompt_get_info(get(), &info));
        return info;
    }

    std::string method() const { return mopd_method_name(info().method); }

    std::string describe() const
    {
        char *json = nullptr;
        check(mopd_prompt_describe(get(), &json));
        return detail::take_text(json);
    }

    void save(const std::string &path) const { check(mopd_prompt_save(get(), path.c_str())); }

    std::vector<std::string> class_names() const { return list(mopd_prompt_class_name); }
    std::vector<std::string> templates() const { return list(mopd_prompt_template); }

    /* The context vectors, and the gate (empty where there is none); owned by the prompt. */
    span<const float> context() const
    {
        mopd_prompt_info i = info();
        std::size_t classes = i.flags & MOPD_PROMPT_CLASS_CONTEXT ? i.n_classes : 1;
        return {mopd_prompt_context(get()), classes * i.n_context * i.text_width};
    }

    span<const float> gate() const
    {
        mopd_prompt_info i = info();
        const float *values = mopd_prompt_gate(get());
        return {values, values ? std::size_t(i.dim) * i.n_templates : 0};
    }

  private:
    std::vector<std::string> list(const char *(*at)(const mopd_prompt *, std::size_t)) const
    {
        std::vector<std::string> all;
        for (std::size_t i = 0; const char *text = at(get(), i); i++) all.emplace_back(text);
        return all;
    }
};

class Bank : public detail::handle<mopd_bank, mopd_bank_free> {
  public:
    /* Without templates: "a photo of a {}.". */
    Bank(const Encoder &encoder, const Texts &classes, const Texts &templates = {})
    {
        make([&](mopd_bank **out) {
            return mopd_bank_create(
                out, encoder.get(), classes.data(), classes.size(), templates.data(), templates.size());
        });
    }

    /* With a learned prompt.  Without classes: those it was trained on.  unseen: how far other classes take the
     * learned context, as in mopd_bank_create_prompt_unseen. */
    static Bank learned(
        const Encoder &encoder, const Prompt &prompt, const Texts &classes = {}, float unseen = 1)
    {
        Bank bank(static_cast<mopd_bank *>(nullptr));
        bank.make([&](mopd_bank **out) {
            return mopd_bank_create_prompt_unseen(
                out, encoder.get(), classes.data(), classes.size(), prompt.get(), unseen);
        });
        return bank;
    }

    /* From given class features, one row a class. */
    Bank(const Texts &classes, span<const float> features, float logit_scale)
    {
        detail::need("rows of class features", classes.size() ? features.size() % classes.size() : 0, 0);
        std::size_t dim = classes.size() ? features.size() / classes.size() : 0;
        make([&](mopd_bank **out) {
            return mopd_bank_create_features(
                out, classes.data(), classes.size(), features.data(), dim, logit_scale);
        });
    }

    /* Takes over a C handle. */
    explicit Bank(mopd_bank *taken) noexcept : handle(taken) {}
    static Bank adopt(mopd_bank *taken) noexcept { return Bank(taken); }

    /* One that was saved. */
    explicit Bank(const std::string &path)
    {
        make([&](mopd_bank **out) { return mopd_bank_open(out, path.c_str(), nullptr); });
    }

    /* Throws MOPD_E_MISMATCH when it was made with another model. */
    Bank(const std::string &path, const Encoder &encoder)
    {
        make([&](mopd_bank **out) { return mopd_bank_open(out, path.c_str(), encoder.get()); });
    }

    void save(const std::string &path) const { check(mopd_bank_save(get(), path.c_str())); }

    /* The same with the scale of labelled pictures: features n x D, n labels. */
    Bank calibrated(span<const float> features, span<const std::int32_t> labels) const
    {
        detail::need("features", features.size(), labels.size() * dim());
        mopd_bank *out = nullptr;
        check(mopd_bank_create_calibrated(&out, get(), features.data(), labels.data(), labels.size()));
        return Bank(out);
    }

    float logit_scale() const noexcept { return mopd_bank_logit_scale(get()); }
    /* NaN where the bank has none. */
    float logit_bias() const noexcept { return mopd_bank_logit_bias(get()); }
    std::string fingerprint() const { return mopd_bank_fingerprint(get()); }

    std::vector<std::string> templates() const
    {
        std::vector<std::string> all;
        for (std::size_t i = 0; const char *text = mopd_bank_template(get(), i); i++) all.emplace_back(text);
        return all;
    }

    std::size_t n_classes() const noexcept { return mopd_bank_n_classes(get()); }
    std::size_t dim() const noexcept { return mopd_bank_dim(get()); }
    std::string class_name(std::size_t index) const
    {
        const char *name = mopd_bank_class_name(get(), index);
        return name ? name : "";
    }

    /* C x D; owned by the bank. */
    span<const float> features() const noexcept { return {mopd_bank_features(get()), n_classes() * dim()}; }

    Matrix logits(span<const float> images) const
    {
        Matrix out(detail::rows_of(images, dim()), n_classes());
        check(mopd_bank_logits(get(), images.data(), out.rows(), out.data()));
        return out;
    }

    Matrix probabilities(span<const float> images) const
    {
        Matrix out(detail::rows_of(images, dim()), n_classes());
        check(mopd_bank_probabilities(get(), images.data(), out.rows(), out.data()));
        return out;
    }

    /* Each class for itself, of models with a logit bias (SigLIP). */
    Matrix sigmoids(span<const float> images) const
    {
        Matrix out(detail::rows_of(images, dim()), n_classes());
        check(mopd_bank_sigmoids(get(), images.data(), out.rows(), out.data()));
        return out;
    }

    /* The best `top` classes of each picture (fewer where there are fewer), picture by picture, best first. */
    std::vector<std::vector<mopd_match>> top(span<const float> images, std::size_t top = 1) const
    {
        std::size_t n = detail::rows_of(images, dim()), each = top < n_classes() ? top : n_classes();
        std::vector<mopd_match> flat(n * each);
        check(mopd_bank_top(get(), images.data(), n, top, flat.data()));
        return detail::rankings(flat, each);
    }
};

/* The method's hard prompts for a dataset; static. */
inline span<const char *const> templates_for(const std::string &name)
{
    const char *const *list = nullptr;
    std::size_t n = 0;
    check(mopd_templates_for(name.c_str(), &list, &n));
    return {list, n};
}

/* Throws MOPD_E_ARG, with both names, when two are the same words to a model. */
inline void check_classes(const Texts &classes)
{
    check(mopd_classes_check(classes.data(), classes.size(), nullptr));
}

/* The number of a method, MOPD_METHOD_.... */
inline std::int32_t method(const std::string &name)
{
    std::int32_t number = 0;
    check(mopd_method_find(name.c_str(), &number));
    return number;
}

class Gate : public detail::handle<mopd_gate, mopd_gate_free> {
  public:
    explicit Gate(const Prompt &prompt)
    {
        make([&](mopd_gate **out) { return mopd_gate_create(out, prompt.get()); });
    }

    /* weights, dim x n_templates. */
    Gate(span<const float> weights, std::size_t n_templates, std::size_t top_k)
    {
        std::size_t dim = detail::rows_of(weights, n_templates);
        make([&](mopd_gate **out) {
            return mopd_gate_create_weights(out, weights.data(), dim, n_templates, top_k);
        });
    }

    /* Takes over a C handle. */
    static Gate adopt(mopd_gate *taken) noexcept { return Gate(taken); }

    /* The templates kept for n pictures and how much each counts: n x K both. */
    struct Choice {
        std::vector<std::uint32_t> indices;
        Matrix weights;
    };

    std::size_t n_templates() const noexcept { return mopd_gate_n_templates(get()); }
    std::size_t top_k() const noexcept { return mopd_gate_top_k(get()); }
    std::size_t dim() const noexcept { return mopd_gate_dim(get()); }

    /* A gate that does not look at the picture (dim 0) has no width to count rows by: features of width `width`. */
    Choice select(span<const float> images, std::size_t width = 0) const
    {
        std::size_t n = detail::rows_of(images, dim() ? dim() : width);
        Choice choice{std::vector<std::uint32_t>(n * top_k()), Matrix(n, top_k())};
        check(mopd_gate_select(get(), images.data(), n, choice.indices.data(), choice.weights.data()));
        return choice;
    }

    /* The mean weight of each template. */
    std::vector<double> use(span<const float> images, std::size_t width = 0) const
    {
        std::vector<double> mean(n_templates());
        check(
            mopd_gate_use(get(), images.data(), detail::rows_of(images, dim() ? dim() : width), mean.data()));
        return mean;
    }

  private:
    explicit Gate(mopd_gate *taken) noexcept : handle(taken) {}
};

class Gda : public detail::handle<mopd_gda, mopd_gda_free> {
  public:
    /* alpha below 0: chosen by cross-validation. */
    Gda(const Bank &bank, span<const float> features, span<const std::int32_t> labels, float alpha = -1)
    {
        std::size_t n = detail::rows_of(features, bank.dim());
        detail::need("labels", labels.size(), n);
        make([&](mopd_gda **out) {
            return mopd_gda_create(out, bank.get(), features.data(), labels.data(), n, alpha);
        });
    }

    /* The same head for the classes of another bank. */
    Gda(const Gda &known, const Bank &bank)
    {
        make([&](mopd_gda **out) { return mopd_gda_create_classes(out, known.get(), bank.get()); });
    }

    /* One that was saved. */
    explicit Gda(const std::string &path)
    {
        make([&](mopd_gda **out) { return mopd_gda_open(out, path.c_str(), nullptr); });
    }

    /* Throws MOPD_E_MISMATCH when it was made with another model. */
    Gda(const std::string &path, const Encoder &encoder)
    {
        make([&](mopd_gda **out) { return mopd_gda_open(out, path.c_str(), encoder.get()); });
    }

    /* Takes over a C handle. */
    static Gda adopt(mopd_gda *taken) noexcept { return Gda(taken); }
    static Gda adopt(mopd_gda *taken, const Bank &) noexcept { return Gda(taken); }

    void save(const std::string &path) const { check(mopd_gda_save(get(), path.c_str())); }

    std::size_t n_classes() const noexcept { return mopd_gda_n_classes(get()); }
    std::size_t dim() const noexcept { return mopd_gda_dim(get()); }
    std::string class_name(std::size_t index) const
    {
        const char *name = mopd_gda_class_name(get(), index);
        return name ? name : "";
    }
    float alpha() const noexcept { return mopd_gda_alpha(get()); }
    float temperature() const noexcept { return mopd_gda_temperature(get()); }

    Matrix logits(span<const float> images) const { return map(mopd_gda_logits, images); }
    Matrix probabilities(span<const float> images) const { return map(mopd_gda_probabilities, images); }

  private:
    explicit Gda(mopd_gda *taken) noexcept : handle(taken) {}

    Matrix map(mopd_status (*function)(const mopd_gda *, const float *, std::size_t, float *),
        span<const float> images) const
    {
        Matrix out(detail::rows_of(images, dim()), n_classes());
        check(function(get(), images.data(), out.rows(), out.data()));
        return out;
    }
};

/* Recognises classes from a few pictures of each (recognizer.h). */
class Recognizer : public detail::handle<mopd_recognizer, mopd_recognizer_close> {
  public:
    /* features, n x D, with n labels that count `classes`; templates, where given, replace those of the options, whose n_views
     * says how many rows a picture has. */
    Recognizer(const Encoder &encoder, const Texts &classes, span<const float> features,
        span<const std::int32_t> labels, RecognizerOptions o = {}, const Texts &templates = {})
        : dim_(encoder.dim())
    {
        std::size_t n = count(features, labels, o.n_views ? static_cast<std::size_t>(o.n_views) : 1);
        if (templates.size()) {
            o.templates = templates.data();
            o.n_templates = templates.size();
        }
        make([&](mopd_recognizer **out) {
            return mopd_recognizer_create(
                out, encoder.get(), classes.data(), classes.size(), features.data(), labels.data(), n, &o);
        });
    }

    explicit Recognizer(const std::string &path) : Recognizer(path, nullptr) {}

    /* Throws MOPD_E_MISMATCH when it was fitted with another model. */
    Recognizer(const std::string &path, const Encoder &encoder) : Recognizer(path, encoder.get()) {}

    /* Takes over a C handle. */
    static Recognizer adopt(mopd_recognizer *taken)
    {
        Recognizer r(taken, 0);
        r.dim_ = r.info().dim;
        return r;
    }

    /* The first call may take as long as a fit. */
    mopd_recognizer_info info() const
    {
        mopd_recognizer_info info = {};
        info.struct_size = sizeof info;
        check(mopd_recognizer_get_info(get(), &info));
        return info;
    }

    std::size_t dim() const noexcept { return *dim_; }

    std::string class_name(std::size_t index) const
    {
        const char *name = mopd_recognizer_class_name(get(), index);
        return name ? name : "";
    }

    std::size_t n_classes() const noexcept
    {
        std::size_t n = 0;
        while (mopd_recognizer_class_name(get(), n)) n++;
        return n;
    }

    std::vector<std::string> class_names() const
    {
        std::vector<std::string> all;
        for (std::size_t i = 0; const char *name = mopd_recognizer_class_name(get(), i); i++)
            all.emplace_back(name);
        return all;
    }

    Matrix logits(span<const float> images) const
    {
        Matrix out(detail::rows_of(images, dim()), n_classes());
        check(mopd_recognizer_logits(get(), images.data(), out.rows(), out.data()));
        return out;
    }

    Matrix probabilities(span<const float> images) const
    {
        Matrix out(detail::rows_of(images, dim()), n_classes());
        check(mopd_recognizer_probabilities(get(), images.data(), out.rows(), out.data()));
        return out;
    }

    /* The best `top` classes of each picture, as Bank::top. */
    std::vector<std::vector<mopd_match>> top(span<const float> images, std::size_t top = 1) const
    {
        std::size_t n = detail::rows_of(images, dim()), all = n_classes(), each = top < all ? top : all;
        std::vector<mopd_match> flat(n * each);
        check(mopd_recognizer_top(get(), images.data(), n, top, flat.data()));
        return detail::rankings(flat, each);
    }

    /* How much each picture seems to be of one of the classes. */
    std::vector<float> scores(span<const float> images) const
    {
        std::vector<float> out(detail::rows_of(images, dim()));
        check(mopd_recognizer_scores(get(), images.data(), out.size(), out.data()));
        return out;
    }

    /* Whether each picture is of one of the classes: its score is not below info().cutoff. */
    std::vector<bool> known(span<const float> images) const
    {
        const double cutoff = info().cutoff;
        std::vector<bool> all;
        for (float score : scores(images)) all.push_back(double(score) >= cutoff);
        return all;
    }

    /* For each picture the classes of its set, which holds the true one with probability `coverage`. */
    std::vector<std::vector<std::uint32_t>> sets(span<const float> images, double coverage = 0.9) const
    {
        std::size_t n = detail::rows_of(images, dim()), classes = n_classes();
        std::vector<std::uint8_t> in(n * classes);
        check(mopd_recognizer_sets(get(), images.data(), n, coverage, in.data()));
        std::vector<std::vector<std::uint32_t>> all(n);
        for (std::size_t i = 0; i < in.size(); i++)
            if (in[i]) all[i / classes].push_back(static_cast<std::uint32_t>(i % classes));
        return all;
    }

    /* The pictures whose label is likely wrong, the most suspicious first. */
    std::vector<mopd_suspect> suspects() const
    {
        std::size_t n = static_cast<std::size_t>(info().n_pictures);
        std::vector<mopd_suspect> all(n);
        check(mopd_recognizer_suspects(get(), all.data(), &n));
        all.resize(n);
        return all;
    }

    /* What is said of each picture of the fit when it is left out: info().n_pictures x classes. */
    Matrix left_out() const
    {
        Matrix out(static_cast<std::size_t>(info().n_pictures), n_classes());
        check(mopd_recognizer_left_out(get(), out.data()));
        return out;
    }

    /* The share of right labels that would be given less than `probability`. */
    double alarms(double probability) const
    {
        double share = 0;
        check(mopd_recognizer_alarms(get(), probability, &share));
        return share;
    }

    /* What twice as many pictures would add to the accuracy: from first to second. */
    std::pair<double, double> more() const
    {
        std::pair<double, double> gain;
        check(mopd_recognizer_more(get(), &gain.first, &gain.second));
        return gain;
    }

    /* With more pictures; flags: MOPD_RECOGNIZER_CHOOSE. */
    Recognizer extend(
        span<const float> features, span<const std::int32_t> labels, std::uint32_t flags = 0) const
    {
        std::size_t n = count(features, labels);
        return from([&](mopd_recognizer **out) {
            return mopd_recognizer_extend(out, get(), features.data(), labels.data(), n, flags);
        });
    }

    /* The same with n_views rows a picture, as many as info() has. */
    Recognizer extend_views(span<const float> features, std::size_t n_views, span<const std::int32_t> labels,
        std::uint32_t flags = 0) const
    {
        std::size_t n = count(features, labels, n_views);
        return from([&](mopd_recognizer **out) {
            return mopd_recognizer_extend_views(
                out, get(), features.data(), n_views, labels.data(), n, flags);
        });
    }

    /* Without the pictures of these indices. */
    Recognizer withdraw(span<const std::size_t> indices, std::uint32_t flags = 0) const
    {
        return from([&](mopd_recognizer **out) {
            return mopd_recognizer_withdraw(out, get(), indices.data(), indices.size(), flags);
        });
    }

    /* For another list of classes; the encoder is the one of the fit. */
    Recognizer with_classes(const Encoder &encoder, const Texts &classes) const
    {
        return from([&](mopd_recognizer **out) {
            return mopd_recognizer_with_classes(out, get(), encoder.get(), classes.data(), classes.size());
        });
    }

    void save(const std::string &path) const { check(mopd_recognizer_save(get(), path.c_str())); }

  private:
    Recognizer(mopd_recognizer *taken, std::size_t dim) noexcept : handle(taken), dim_(dim) {}

    Recognizer(const std::string &path, const mopd_encoder *encoder)
    {
        make([&](mopd_recognizer **out) { return mopd_recognizer_open(out, path.c_str(), encoder); });
        dim_ = info().dim;
    }

    template <class Make> Recognizer from(Make &&made) const
    {
        Recognizer result(nullptr, dim());
        result.make(std::forward<Make>(made));
        return result;
    }

    std::size_t count(
        span<const float> features, span<const std::int32_t> labels, std::size_t n_views = 1) const
    {
        detail::need("labels", labels.size() * n_views, detail::rows_of(features, dim()));
        return labels.size();
    }

    detail::own<std::size_t> dim_;
};

/* -- data sets ---------------------------------------------------------------------------------------------- */

class Dataset : public detail::handle<mopd_dataset, mopd_dataset_close> {
  public:
    explicit Dataset(const std::string &path, const DatasetOptions &o = {})
    {
        make([&](mopd_dataset **out) { return mopd_dataset_open(out, path.c_str(), &o); });
    }

    /* Takes over a C handle. */
    static Dataset adopt(mopd_dataset *taken) noexcept { return Dataset(taken); }

    mopd_dataset_info info() const
    {
        mopd_dataset_info info = {};
        info.struct_size = sizeof info;
        check(mopd_dataset_get_info(get(), &info));
        return info;
    }

    /* Texts belong to the dataset. */
    mopd_item item(std::size_t index) const
    {
        mopd_item item = {};
        item.struct_size = sizeof item;
        check(mopd_dataset_get_item(get(), index, &item));
        return item;
    }

    std::size_t size() const { return static_cast<std::size_t>(info().n_items); }
    std::size_t n_classes() const { return info().n_classes; }

    std::string class_name(std::size_t index) const
    {
        const char *name = mopd_dataset_class_name(get(), index);
        return name ? name : "";
    }

    /* Owned by the dataset. */
    span<const char *const> class_names() const { return {mopd_dataset_class_names(get()), n_classes()}; }
    span<const std::int32_t> labels() const { return {mopd_dataset_labels(get()), size()}; }
    std::string fingerprint() const { return mopd_dataset_fingerprint(get()); }

    /* One view of one picture, owned by the dataset; empty until encoded. */
    span<const float> feature(std::size_t index, std::size_t view = 0) const
    {
        const float *values = mopd_dataset_feature(get(), index, view);
        return {values, values ? info().dim : 0};
    }

    /* n x n_views x D. */
    Matrix gather(std::size_t first_view = 0, std::size_t n_views = 1) const
    {
        mopd_dataset_info i = info();
        Matrix features(static_cast<std::size_t>(i.n_items) * n_views, i.dim);
        check(mopd_dataset_gather(get(), first_view, n_views, features.data()));
        return features;
    }

    Dataset select(const Selection &selection) const
    {
        return from([&](mopd_dataset **out) { return mopd_dataset_select(out, get(), &selection); });
    }

    Dataset pick(span<const std::size_t> indices, std::uint32_t flags = 0) const
    {
        return from([&](mopd_dataset **out) {
            return mopd_dataset_pick(out, get(), indices.data(), indices.size(), flags);
        });
    }

    Dataset leave_out(std::size_t index) const
    {
        return from([&](mopd_dataset **out) { return mopd_dataset_leave_out(out, get(), index); });
    }

    Dataset without_path(const std::string &path) const
    {
        return from(
            [&](mopd_dataset **out) { return mopd_dataset_withdraw(out, get(), path.c_str(), nullptr); });
    }

    Dataset without_class(const std::string &name) const
    {
        return from(
            [&](mopd_dataset **out) { return mopd_dataset_withdraw(out, get(), nullptr, name.c_str()); });
    }

    /* With features.  progress(done, total, bad_path, message): returning false stops, and *complete (where
     * given) becomes false: what was reached comes back, for a later call to take up as `known`. */
    template <class F = ignore>
    Dataset encode(const Encoder &encoder, EncodeOptions o = {}, F &&progress = {}, bool *complete = nullptr,
        const Dataset *known = nullptr) const
    {
        detail::callback<std::remove_reference_t<F>> call{&progress};
        o.fn = pass<std::remove_reference_t<F>>;
        o.context = &call;
        mopd_dataset *made = nullptr;
        mopd_status status =
            mopd_dataset_encode(&made, get(), known ? known->get() : nullptr, encoder.get(), &o);
        Dataset result(made);
        call.rethrow();
        if (complete) *complete = status == MOPD_OK;
        if (status != MOPD_E_CANCELLED || !complete || !result) check(status);
        return result;
    }

    void save(const std::string &path) const { check(mopd_dataset_save(get(), path.c_str())); }

  private:
    explicit Dataset(mopd_dataset *taken) noexcept : handle(taken) {}

    template <class Make> static Dataset from(Make &&made)
    {
        Dataset result(static_cast<mopd_dataset *>(nullptr));
        result.make(std::forward<Make>(made));
        return result;
    }

    template <class F>
    static int pass(
        void *context, std::size_t done, std::size_t total, const char *path, const char *message) noexcept
    {
        return (*static_cast<detail::callback<F> *>(context))(done, total, path, message);
    }
};

/* -- learning ----------------------------------------------------------------------------------------------- */

/* The encoder must live as long as the trainer. */
class Trainer : public detail::handle<mopd_trainer, mopd_trainer_free> {
  public:
    /* templates, where given, replace those of the options. */
    Trainer(const Encoder &encoder, const Texts &classes, TrainerOptions o = {}, const Texts &templates = {})
        : dim_(encoder.dim())
    {
        if (templates.size()) {
            o.templates = templates.data();
            o.n_templates = templates.size();
        }
        make([&](mopd_trainer **out) {
            return mopd_trainer_create(out, encoder.get(), classes.data(), classes.size(), &o);
        });
    }

    /* Takes over a C handle that was made with `encoder`. */
    static Trainer adopt(mopd_trainer *taken, const Encoder &encoder) noexcept
    {
        return Trainer(taken, encoder.dim());
    }

    /* One step on n features, n x D. */
    mopd_step step(span<const float> features, span<const std::int32_t> labels)
    {
        std::size_t n = detail::rows_of(features, *dim_);
        detail::need("labels", labels.size(), n);
        mopd_step done = {};
        done.struct_size = sizeof done;
        check(mopd_trainer_step(get(), features.data(), labels.data(), n, &done));
        return done;
    }

    void end_epoch() { check(mopd_trainer_end_epoch(get())); }

    /* All epochs that are left on n x n_views features.  on_epoch(const mopd_epoch &) may return false to stop:
     * then run returns false, and may be called again. */
    template <class F = ignore>
    bool run(span<const float> features, span<const std::int32_t> labels, std::size_t n_views = 1,
        F &&on_epoch = {}, const std::string &checkpoint = {})
    {
        Run r;
        r.n = labels.size();
        r.n_views = n_views;
        r.features = features.data();
        r.labels = labels.data();
        r.checkpoint = checkpoint.empty() ? nullptr : checkpoint.c_str();
        detail::need("feature rows", detail::rows_of(features, *dim_), labels.size() * n_views);
        return run(r, std::forward<F>(on_epoch));
    }

    /* The same with every field of mopd_run at hand.  on_epoch replaces its own, and so does
     * on_step(const mopd_step &) where it is given. */
    template <class F = ignore, class S = ignore> bool run(Run r, F &&on_epoch = {}, S &&on_step = {})
    {
        using epoch_call = std::remove_reference_t<F>;
        using step_call = std::remove_reference_t<S>;
        detail::callback<epoch_call> epoch{&on_epoch};
        detail::callback<step_call> step{&on_step};
        r.on_epoch = pass<epoch_call, mopd_epoch>;
        r.epoch_context = &epoch;
        if constexpr (!std::is_same_v<step_call, ignore>) {
            r.on_step = pass<step_call, mopd_step>;
            r.step_context = &step;
        }
        mopd_status status = mopd_trainer_run(get(), &r);
        step.rethrow();
        epoch.rethrow();
        if (status != MOPD_E_CANCELLED) check(status);
        return status == MOPD_OK;
    }

    /* All epochs that are left on fresh features: views(epoch, features) fills n x D for each epoch (from 1). */
    template <class V, class F = ignore>
    bool run_views(
        span<const std::int32_t> labels, V &&views, F &&on_epoch = {}, const std::string &checkpoint = {})
    {
        views_call<std::remove_reference_t<V>> fresh{{&views}, labels.size() * *dim_};
        Run r;
        r.n = labels.size();
        r.n_views = 1;
        r.labels = labels.data();
        r.views = views_call<std::remove_reference_t<V>>::pass;
        r.views_context = &fresh;
        r.checkpoint = checkpoint.empty() ? nullptr : checkpoint.c_str();
        bool done = run(r, std::forward<F>(on_epoch));
        fresh.fn.rethrow();
        return done;
    }

    /* How many epochs a run over n pictures takes. */
    std::uint32_t n_epochs(std::size_t n) const noexcept { return mopd_trainer_n_epochs(get(), n); }
    double lr(std::uint32_t epoch) const noexcept { return mopd_trainer_lr(get(), epoch); }

    void note(const std::string &key, const std::string &text)
    {
        check(mopd_trainer_note(get(), key.c_str(), text.c_str()));
    }

    Prompt prompt() const
    {
        mopd_prompt *made = nullptr;
        check(mopd_prompt_create_trainer(&made, get()));
        return Prompt(made);
    }

    /* A bank with the prompt as it is now; without classes: those trained on. */
    Bank bank(const Texts &classes = {}) const
    {
        mopd_bank *made = nullptr;
        check(mopd_bank_create_trainer(&made, get(), classes.data(), classes.size()));
        return Bank(made);
    }

    void checkpoint(const std::string &path) const { check(mopd_trainer_checkpoint(get(), path.c_str())); }
    void resume(const std::string &path) { check(mopd_trainer_resume(get(), path.c_str())); }

  private:
    template <class V> struct views_call {
        detail::callback<V> fn;
        std::size_t size;

        static mopd_status pass(void *context, std::uint32_t epoch, float *features) noexcept
        {
            views_call *self = static_cast<views_call *>(context);
            return self->fn(epoch, span<float>(features, self->size)) ? MOPD_E_CANCELLED : MOPD_OK;
        }
    };

    template <class F, class Event> static int pass(void *context, const Event *event) noexcept
    {
        return (*static_cast<detail::callback<F> *>(context))(*event);
    }

    Trainer(mopd_trainer *taken, std::size_t dim) noexcept : handle(taken), dim_(dim) {}

    detail::own<std::size_t> dim_;
};

/* Sets w, w2, top_k and, where it is open, the length of the options without any test picture; returns what was
 * tried, as JSON. */
inline std::string choose(const Encoder &encoder, const Texts &classes, TrainerOptions &o, const Run &run)
{
    char *report = nullptr;
    check(mopd_trainer_options_choose(&o, encoder.get(), classes.data(), classes.size(), &run, &report));
    return detail::take_text(report);
}

/* -- figures ------------------------------------------------------------------------------------------------ */

/* Counts predictions over as many batches as you like. */
class Confusion {
  public:
    explicit Confusion(std::size_t n_classes) : n_(n_classes), counts_(n_classes * n_classes) {}

    void add(const Matrix &logits, span<const std::int32_t> labels)
    {
        detail::need("logits a picture", logits.cols(), *n_);
        detail::need("labels", labels.size(), logits.rows());
        check(mopd_confusion_add(counts_.data(), *n_, logits.data(), labels.data(), labels.size()));
    }

    std::uint32_t operator()(std::size_t true_class, std::size_t predicted) const noexcept
    {
        return counts_[true_class * *n_ + predicted];
    }

    mopd_metrics metrics() const
    {
        mopd_metrics m = {};
        m.struct_size = sizeof m;
        check(mopd_confusion_get_metrics(counts_.data(), *n_, &m));
        return m;
    }

  private:
    detail::own<std::size_t> n_;
    std::vector<std::uint32_t> counts_;
};

/* How far probabilities can be believed, over as many batches as you like. */
class Calibration {
  public:
    void add(const Matrix &logits, span<const std::int32_t> labels)
    {
        detail::need("labels", labels.size(), logits.rows());
        check(mopd_calibration_add(sums_.data(), logits.cols(), logits.data(), labels.data(), labels.size()));
    }

    /* Expected calibration error in percent, and mean log loss. */
    double ece() const noexcept { return mopd_calibration_ece(sums_.data()); }
    double nll() const noexcept { return mopd_calibration_nll(sums_.data()); }

    /* For each of MOPD_CALIBRATION_BINS bins the pictures, the right ones, the sum of probabilities; at last the loss. */
    const std::array<double, MOPD_CALIBRATION_SUMS> &sums() const noexcept { return sums_; }

  private:
    std::array<double, MOPD_CALIBRATION_SUMS> sums_ = {};
};

/* At most `most` pairs of rows whose product is at least `least`, the largest first. */
inline std::vector<mopd_pair> pairs(const Matrix &rows, double least, std::size_t most = 1000)
{
    std::vector<mopd_pair> all(most);
    check(mopd_pairs_find(rows.data(), rows.rows(), rows.cols(), least, all.data(), &most));
    all.resize(most);
    return all;
}

/* The 95 % interval, in percent, of an accuracy of which `correct` of n pictures tell. */
inline std::pair<double, double> accuracy_interval(std::uint64_t correct, std::uint64_t n)
{
    std::pair<double, double> interval;
    check(mopd_accuracy_interval(correct, n, &interval.first, &interval.second));
    return interval;
}

/* A float32 .npy file. */
inline void save(const std::string &path, const Matrix &values)
{
    const std::array<std::size_t, 2> shape = {values.rows(), values.cols()};
    check(mopd_array_save(path.c_str(), values.data(), shape.data(), shape.size()));
}

/* A file of the program's own, whole or not at all (file.h). */
inline void save(const std::string &path, const std::string &bytes)
{
    check(mopd_file_save(path.c_str(), bytes.data(), bytes.size()));
}

/* A .npy file of at most two dimensions; one row, where it has one. */
inline Matrix load(const std::string &path)
{
    float *values = nullptr;
    std::size_t shape[MOPD_ARRAY_DIMS], n = 0;
    check(mopd_array_load(path.c_str(), &values, shape, &n));
    const detail::block<float> owner(values);
    if (n > 2)
        throw error(MOPD_E_ARG, path + ": an array of " + std::to_string(n) + " dimensions is no matrix");
    Matrix out(n == 2 ? shape[0] : 1, n ? shape[n - 1] : 1);
    for (std::size_t i = 0; i < out.size(); i++) out.data()[i] = values[i];
    return out;
}

} // namespace mopd

#endif
