/* SPDX-License-Identifier: MIT
 * numbers.h - every number and every struct with a size that the public functions take: the tables of test_arguments.c. */

/* Function, a struct whose struct_size is wrong, a call that is given it. */
#define SIZED(X)                                                                                             \
    X(mopd_dataset_open, dataset_options, (&a_dataset, folder, &dataset_options))                            \
    X(mopd_dataset_open_image, image_options, (&an_image, data, 0, &image_options))                          \
    X(mopd_dataset_get_info, dataset_info, (data, &dataset_info))                                            \
    X(mopd_dataset_get_item, item, (data, 0, &item))                                                         \
    X(mopd_dataset_get_remark, remark, (data, 0, &remark))                                                   \
    X(mopd_dataset_select, selection, (&a_dataset, data, &selection))                                        \
    X(mopd_dataset_encode, encode_options, (&a_dataset, data, NULL, encoder, &encode_options))               \
    X(mopd_encoder_open, encoder_options, (&an_encoder, model, &encoder_options))                            \
    X(mopd_encoder_open_memory, encoder_options, (&an_encoder, bytes, 8, &encoder_options))                  \
    X(mopd_encoder_share, share_options, (&an_encoder, encoder, &share_options))                             \
    X(mopd_encoder_get_info, encoder_info, (encoder, &encoder_info))                                         \
    X(mopd_image_create_frame, frame, (&an_image, &frame))                                                   \
    X(mopd_image_open, image_options, (&an_image, file, &image_options))                                     \
    X(mopd_image_decode, image_options, (&an_image, bytes, 8, &image_options))                               \
    X(mopd_confusion_get_metrics, metrics, (counts, C, &metrics))                                            \
    X(mopd_metrics_compute, metrics, (&metrics, counts, C))                                                  \
    X(mopd_prompt_get_info, prompt_info, (prompt, &prompt_info))                                             \
    X(mopd_recognizer_create, recognizer_options,                                                            \
        (&a_recognizer, encoder, tiny_classes, C, x, labels, N, &recognizer_options))                        \
    X(mopd_recognizer_get_info, recognizer_info, (recognizer, &recognizer_info))                             \
    X(mopd_limits_set, limits, (&limits, "tensors", "1"))                                                    \
    X(mopd_runtime_set_limits, limits, (&limits))                                                            \
    X(mopd_runtime_get_limits, limits, (&limits))                                                            \
    X(mopd_setting_get, setting, (0, &setting))                                                              \
    X(mopd_trainer_create, options, (&a_trainer, encoder, tiny_classes, C, &options))                        \
    X(mopd_trainer_step, step, (trainer, x, labels, 8, &step))                                               \
    X(mopd_trainer_run, run, (trainer, &run))                                                                \
    X(mopd_trainer_options_choose, options, (&options, encoder, tiny_classes, C, &run, NULL))                \
    X(mopd_trainer_options_choose, run, (&options, encoder, tiny_classes, C, &run, NULL))                    \
    X(mopd_trainer_choose, options, (encoder, tiny_classes, C, &options, &run, NULL))                        \
    X(mopd_trainer_choose, run, (encoder, tiny_classes, C, &options, &run, NULL))

/* Function, its call with an enormous count `most` in the place of a list's length or width. */
#define LENGTHS(X)                                                                                           \
    X(mopd_array_save, (file, x, &most, 1))                                                                  \
    X(mopd_array_save, (file, x, (size_t[]){most, most}, 2))                                                 \
    X(mopd_array_save, (file, x, shape, most))                                                               \
    X(mopd_bank_create, (&a_bank, encoder, texts, most, NULL, 0))                                            \
    X(mopd_bank_create, (&a_bank, encoder, texts, 2, texts, most))                                           \
    X(mopd_classes_check, (texts, most, NULL))                                                               \
    X(mopd_bank_create_features, (&a_bank, texts, most, x, D, 1))                                            \
    X(mopd_bank_create_features, (&a_bank, texts, 2, x, most, 1))                                            \
    X(mopd_bank_create_calibrated, (&a_bank, bank, x, labels, most))                                         \
    X(mopd_bank_logits, (bank, x, most, y))                                                                  \
    X(mopd_bank_probabilities, (bank, x, most, y))                                                           \
    X(mopd_bank_sigmoids, (bank, x, most, y))                                                                \
    X(mopd_bank_top, (bank, x, most, 1, matches))                                                            \
    X(mopd_bank_top, (bank, x, most, most, matches))                                                         \
    X(mopd_dataset_with_names, (&a_dataset, data, texts, most))                                              \
    X(mopd_dataset_gather, (store, most, 1, y))                                                              \
    X(mopd_dataset_gather, (store, 0, most, y))                                                              \
    X(mopd_dataset_gather, (store, most, most, y))                                                           \
    X(mopd_dataset_pick, (&a_dataset, data, chosen, most, 0))                                                \
    X(mopd_dataset_leave_out, (&a_dataset, data, most))                                                      \
    X(mopd_dataset_open_image, (&an_image, data, most, NULL))                                                \
    X(mopd_dataset_get_item, (data, most, &item))                                                            \
    X(mopd_dataset_get_remark, (data, most, &remark))                                                        \
    X(mopd_clusters_choose, (x, most, D, 1, 1, chosen_rows))                                                 \
    X(mopd_clusters_choose, (x, 2, most, 1, 1, chosen_rows))                                                 \
    X(mopd_clusters_choose, (x, 2, D, most, 1, chosen_rows))                                                 \
    X(mopd_encoder_open_memory, (&an_encoder, bytes, most, &encoder_options))                                \
    X(mopd_encoder_encode_pixels, (encoder, x, most, y))                                                     \
    X(mopd_encoder_encode_images, (encoder, (const mopd_image *const *)&image, most, y))                     \
    X(mopd_encoder_encode_views, (encoder, (const mopd_image *const *)&image, most, 1, y))                   \
    X(mopd_encoder_encode_views, (encoder, (const mopd_image *const *)&image, 1, most, y))                   \
    X(mopd_encoder_encode_files, (encoder, texts, most, told, NULL))                                         \
    X(mopd_encoder_encode_texts, (encoder, texts, most, y))                                                  \
    X(mopd_file_save, (absent, x, most))                                                                     \
    X(mopd_gate_create_weights, (&a_gate, x, most, 2, 1))                                                    \
    X(mopd_gate_create_weights, (&a_gate, x, 2, most, 1))                                                    \
    X(mopd_gate_create_weights, (&a_gate, x, 2, 2, most))                                                    \
    X(mopd_gate_select, (gate, x, most, indices, y))                                                         \
    X(mopd_gate_use, (gate, x, most, use))                                                                   \
    X(mopd_gda_create, (&a_gda, bank, x, labels, most, 1))                                                   \
    X(mopd_gda_logits, (gda, x, most, y))                                                                    \
    X(mopd_gda_probabilities, (gda, x, most, y))                                                             \
    X(mopd_image_decode, (&an_image, bytes, most, NULL))                                                     \
    X(mopd_image_create, (&an_image, bytes, most, 1, 3, 0))                                                  \
    X(mopd_image_create, (&an_image, bytes, 1, most, 3, 0))                                                  \
    X(mopd_image_create, (&an_image, bytes, most, most, 4, 0))                                               \
    X(mopd_image_create, (&an_image, bytes, 1, 1, most, 0))                                                  \
    X(mopd_image_create, (&an_image, bytes, 2, 1, 3, most))                                                  \
    X(mopd_image_crop, (&an_image, image, most, 0, 1, 1))                                                    \
    X(mopd_image_crop, (&an_image, image, 0, most, 1, 1))                                                    \
    X(mopd_image_crop, (&an_image, image, 1, 1, most, 1))                                                    \
    X(mopd_image_crop, (&an_image, image, 1, 1, 1, most))                                                    \
    X(mopd_pairs_find, (x, most, D, 0.5, NULL, &n))                                                          \
    X(mopd_pairs_find, (x, 2, most, 0.5, NULL, &n))                                                          \
    X(mopd_confusion_add, (counts, most, y, labels, 1))                                                      \
    X(mopd_confusion_add, (counts, C, y, labels, most))                                                      \
    X(mopd_confusion_get_metrics, (counts, most, &metrics))                                                  \
    X(mopd_metrics_compute, (&metrics, counts, most))                                                        \
    X(mopd_calibration_add, (sums, most, y, labels, 1))                                                      \
    X(mopd_calibration_add, (sums, C, y, labels, most))                                                      \
    X(mopd_bank_create_prompt, (&a_bank, encoder, texts, most, prompt))                                      \
    X(mopd_bank_create_prompt_unseen, (&a_bank, encoder, texts, most, prompt, 1))                            \
    X(mopd_recognizer_create, (&a_recognizer, encoder, texts, most, x, one, 1, NULL))                        \
    X(mopd_recognizer_create, (&a_recognizer, encoder, texts, 2, x, one, most, NULL))                        \
    X(mopd_recognizer_extend, (&a_recognizer, recognizer, x, one, most, 0))                                  \
    X(mopd_recognizer_extend_views, (&a_recognizer, recognizer, x, 1, one, most, 0))                         \
    X(mopd_recognizer_extend_views, (&a_recognizer, recognizer, x, most, one, 1, 0))                         \
    X(mopd_recognizer_withdraw, (&a_recognizer, recognizer, chosen, most, 0))                                \
    X(mopd_recognizer_with_classes, (&a_recognizer, recognizer, encoder, texts, most))                       \
    X(mopd_recognizer_logits, (recognizer, x, most, y))                                                      \
    X(mopd_recognizer_probabilities, (recognizer, x, most, y))                                               \
    X(mopd_recognizer_top, (recognizer, x, most, 1, matches))                                                \
    X(mopd_recognizer_scores, (recognizer, x, most, y))                                                      \
    X(mopd_recognizer_sets, (recognizer, x, most, 0.9, bytes))                                               \
    X(mopd_runtime_set_threads, ((uint32_t)most))                                                            \
    X(mopd_setting_get, (most, &setting))                                                                    \
    X(mopd_trainer_create, (&a_trainer, encoder, texts, most, &options))                                     \
    X(mopd_trainer_step, (trainer, x, labels, most, &step))                                                  \
    X(mopd_bank_create_trainer, (&a_bank, trainer, texts, most))                                             \
    X(mopd_trainer_bank, (trainer, &a_bank, texts, most))                                                    \
    X(mopd_trainer_options_choose, (&options, encoder, texts, most, &run, NULL))                             \
    X(mopd_trainer_choose, (encoder, texts, most, &options, &run, NULL))                                     \
    X(mopd_encoder_pack, (encoder, absent, (int32_t)most))                                                   \
    X(mopd_encoder_pack_calibrated, (encoder, absent, (int32_t)most, texts, 1))                              \
    X(mopd_encoder_pack_calibrated, (encoder, absent, MOPD_DTYPE_I8, texts, most))                           \
    X(mopd_limits_init, (&limits, most))                                                                     \
    X(mopd_dataset_options_init, (&dataset_options, most))                                                   \
    X(mopd_selection_init, (&selection, most))                                                               \
    X(mopd_encode_options_init, (&encode_options, most))                                                     \
    X(mopd_encoder_options_init, (&encoder_options, most))                                                   \
    X(mopd_share_options_init, (&share_options, most))                                                       \
    X(mopd_frame_init, (&frame, most))                                                                       \
    X(mopd_image_options_init, (&image_options, most))                                                       \
    X(mopd_recognizer_options_init, (&recognizer_options, most))                                             \
    X(mopd_trainer_options_init, (&options, most))                                                           \
    X(mopd_run_init, (&run, most))

/* The same of functions that take any number: none ends the process, and what is no place has no text. */
#define PLACES(X)                                                                                            \
    X(mopd_bank_class_name, (bank, most))                                                                    \
    X(mopd_bank_template, (bank, most))                                                                      \
    X(mopd_dataset_class_name, (data, most))                                                                 \
    X(mopd_dataset_label_name, (data, most))                                                                 \
    X(mopd_dataset_feature, (store, most, 0))                                                                \
    X(mopd_dataset_feature, (store, 0, most))                                                                \
    X(mopd_gda_class_name, (gda, most))                                                                      \
    X(mopd_method_name, (-1 - (int32_t)(most & 7)))                                                          \
    X(mopd_prompt_class_name, (prompt, most))                                                                \
    X(mopd_prompt_template, (prompt, most))                                                                  \
    X(mopd_recognizer_class_name, (recognizer, most))

/* A number that is none, infinite, below or far above what has a meaning: ARG or NUMERIC. */
#define REALS(X)                                                                                             \
    X(mopd_bank_create_features, (&a_bank, texts, 2, x, D, (float)odd))                                      \
    X(mopd_gda_create, (&a_gda, bank, x, labels, N, (float)odd))                                             \
    X(mopd_bank_create_prompt_unseen, (&a_bank, encoder, texts, 2, prompt, (float)odd))                      \
    X(mopd_pairs_find, (x, 2, D, odd, pairs, &n))                                                            \
    X(mopd_recognizer_sets, (recognizer, x, 1, odd, bytes))                                                  \
    X(mopd_recognizer_alarms, (recognizer, odd, &share))

/* Numbers of which each has a meaning. */
#define ANY(X)                                                                                               \
    X(mopd_file_kind, (bytes, sizeof bytes))                                                                 \
    X(mopd_encoder_preprocess_view, (encoder, image, most, pixels))                                          \
    X(mopd_accuracy_interval, (most, most, &share, &share))                                                  \
    X(mopd_accuracy_interval, (1, most, &share, &share))                                                     \
    X(mopd_accuracy_interval, (most, 1, &share, &share))                                                     \
    X((mopd_status)mopd_harmonic_mean, (0, 0))                                                               \
    X((mopd_status)mopd_trainer_n_epochs, (trainer, most))                                                   \
    X((mopd_status)mopd_trainer_lr, (trainer, (uint32_t)most))                                               \
    X(mopd_bank_top, (bank, x, 1, most, matches))                                                            \
    X(mopd_recognizer_top, (recognizer, x, 1, most, matches))

/* The structs that say their size, a comma behind each. */
static const char *const sized_structs =
    " mopd_limits, mopd_image_options, mopd_frame, mopd_encoder_options, mopd_share_options, "
    "mopd_encoder_info,"
    " mopd_prompt_info, mopd_trainer_options, mopd_setting, mopd_run, mopd_step, mopd_dataset_options,"
    " mopd_dataset_info, mopd_remark, mopd_item, mopd_selection, mopd_encode_options, mopd_encode_counts,"
    " mopd_metrics, mopd_recognizer_options, mopd_recognizer_info,";
