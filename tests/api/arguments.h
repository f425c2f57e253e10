/* SPDX-License-Identifier: MIT
 * arguments.h - every pointer and every flag of the public functions, each with a call: the tables of
 * test_arguments.c, which has the variables that the calls use. */
/* Function, argument, a call that lacks this argument alone. */
#define REQUIRED(X)                                                                                          \
    X(mopd_limits_init, limits, (NULL, sizeof limits))                                                       \
    X(mopd_limits_set, limits, (NULL, "tensors", "1"))                                                       \
    X(mopd_limits_set, name, (&limits, NULL, "1"))                                                           \
    X(mopd_limits_set, value, (&limits, "tensors", NULL))                                                    \
    X(mopd_runtime_get_limits, limits, (NULL))                                                               \
    X(mopd_accuracy_interval, low, (1, 2, NULL, &share))                                                     \
    X(mopd_accuracy_interval, high, (1, 2, &share, NULL))                                                    \
    X(mopd_array_load, path, (NULL, &some_values, shape, &n))                                                \
    X(mopd_array_load, values, (file, NULL, shape, &n))                                                      \
    X(mopd_array_load, shape, (file, &some_values, NULL, &n))                                                \
    X(mopd_array_load, n_dims, (file, &some_values, shape, NULL))                                            \
    X(mopd_array_save, path, (NULL, x, shape, 2))                                                            \
    X(mopd_array_save, values, (file, NULL, shape, 2))                                                       \
    X(mopd_array_save, shape, (file, x, NULL, 2))                                                            \
    X(mopd_bank_create, out, (NULL, encoder, texts, 2, texts, 1))                                            \
    X(mopd_bank_create, encoder, (&a_bank, NULL, texts, 2, NULL, 0))                                         \
    X(mopd_bank_create, classes, (&a_bank, encoder, NULL, 2, NULL, 0))                                       \
    X(mopd_bank_create, templates, (&a_bank, encoder, texts, 2, NULL, 1))                                    \
    X(mopd_classes_check, classes, (NULL, 2, NULL))                                                          \
    X(mopd_bank_create_features, out, (NULL, texts, 2, x, D, 1))                                             \
    X(mopd_bank_create_features, classes, (&a_bank, NULL, 2, x, D, 1))                                       \
    X(mopd_bank_create_features, features, (&a_bank, texts, 2, NULL, D, 1))                                  \
    X(mopd_bank_create_calibrated, out, (NULL, bank, x, labels, N))                                          \
    X(mopd_bank_create_calibrated, bank, (&a_bank, NULL, x, labels, N))                                      \
    X(mopd_bank_create_calibrated, features, (&a_bank, bank, NULL, labels, N))                               \
    X(mopd_bank_create_calibrated, labels, (&a_bank, bank, x, NULL, N))                                      \
    X(mopd_bank_create_prompt, out, (NULL, encoder, texts, 2, prompt))                                       \
    X(mopd_bank_create_prompt, encoder, (&a_bank, NULL, texts, 2, prompt))                                   \
    X(mopd_bank_create_prompt, classes, (&a_bank, encoder, NULL, 2, prompt))                                 \
    X(mopd_bank_create_prompt, prompt, (&a_bank, encoder, texts, 2, NULL))                                   \
    X(mopd_bank_create_prompt_unseen, out, (NULL, encoder, texts, 2, prompt, 1))                             \
    X(mopd_bank_create_prompt_unseen, encoder, (&a_bank, NULL, texts, 2, prompt, 1))                         \
    X(mopd_bank_create_prompt_unseen, classes, (&a_bank, encoder, NULL, 2, prompt, 1))                       \
    X(mopd_bank_create_prompt_unseen, prompt, (&a_bank, encoder, texts, 2, NULL, 1))                         \
    X(mopd_bank_create_trainer, out, (NULL, trainer, texts, 2))                                              \
    X(mopd_bank_create_trainer, trainer, (&a_bank, NULL, texts, 2))                                          \
    X(mopd_bank_create_trainer, classes, (&a_bank, trainer, NULL, 2))                                        \
    X(mopd_bank_save, bank, (NULL, file))                                                                    \
    X(mopd_bank_save, path, (bank, NULL))                                                                    \
    X(mopd_bank_open, out, (NULL, file, NULL))                                                               \
    X(mopd_bank_open, path, (&a_bank, NULL, NULL))                                                           \
    X(mopd_bank_logits, bank, (NULL, x, 1, y))                                                               \
    X(mopd_bank_logits, features, (bank, NULL, 1, y))                                                        \
    X(mopd_bank_logits, logits, (bank, x, 1, NULL))                                                          \
    X(mopd_bank_probabilities, bank, (NULL, x, 1, y))                                                        \
    X(mopd_bank_probabilities, features, (bank, NULL, 1, y))                                                 \
    X(mopd_bank_probabilities, probabilities, (bank, x, 1, NULL))                                            \
    X(mopd_bank_sigmoids, bank, (NULL, x, 1, y))                                                             \
    X(mopd_bank_sigmoids, features, (bank, NULL, 1, y))                                                      \
    X(mopd_bank_sigmoids, sigmoids, (bank, x, 1, NULL))                                                      \
    X(mopd_bank_top, bank, (NULL, x, 1, 1, matches))                                                         \
    X(mopd_bank_top, features, (bank, NULL, 1, 1, matches))                                                  \
    X(mopd_bank_top, matches, (bank, x, 1, 1, NULL))                                                         \
    X(mopd_calibration_add, sums, (NULL, C, y, labels, 1))                                                   \
    X(mopd_calibration_add, logits, (sums, C, NULL, labels, 1))                                              \
    X(mopd_calibration_add, labels, (sums, C, y, NULL, 1))                                                   \
    X(mopd_clusters_choose, rows, (NULL, 2, D, 1, 1, chosen_rows))                                           \
    X(mopd_clusters_choose, chosen, (x, 2, D, 1, 1, NULL))                                                   \
    X(mopd_confusion_add, confusion, (NULL, C, y, labels, 1))                                                \
    X(mopd_confusion_add, logits, (counts, C, NULL, labels, 1))                                              \
    X(mopd_confusion_add, labels, (counts, C, y, NULL, 1))                                                   \
    X(mopd_confusion_get_metrics, confusion, (NULL, C, &metrics))                                            \
    X(mopd_confusion_get_metrics, metrics, (counts, C, NULL))                                                \
    X(mopd_dataset_options_init, options, (NULL, sizeof dataset_options))                                    \
    X(mopd_selection_init, selection, (NULL, sizeof selection))                                              \
    X(mopd_file_check, path, (NULL))                                                                         \
    X(mopd_file_save, path, (NULL, x, 1))                                                                    \
    X(mopd_file_save, bytes, (file, NULL, 1))                                                                \
    X(mopd_encode_options_init, options, (NULL, sizeof encode_options))                                      \
    X(mopd_dataset_open, out, (NULL, folder, NULL))                                                          \
    X(mopd_dataset_open, path, (&a_dataset, NULL, NULL))                                                     \
    X(mopd_dataset_open_image, out, (NULL, data, 0, NULL))                                                   \
    X(mopd_dataset_open_image, dataset, (&an_image, NULL, 0, NULL))                                          \
    X(mopd_dataset_get_info, dataset, (NULL, &dataset_info))                                                 \
    X(mopd_dataset_get_info, info, (data, NULL))                                                             \
    X(mopd_dataset_get_remark, dataset, (NULL, 0, &remark))                                                  \
    X(mopd_dataset_get_remark, remark, (data, 0, NULL))                                                      \
    X(mopd_dataset_with_names, out, (NULL, data, texts, 2))                                                  \
    X(mopd_dataset_with_names, dataset, (&a_dataset, NULL, texts, 2))                                        \
    X(mopd_dataset_with_names, names, (&a_dataset, data, NULL, 2))                                           \
    X(mopd_dataset_get_item, dataset, (NULL, 0, &item))                                                      \
    X(mopd_dataset_get_item, item, (data, 0, NULL))                                                          \
    X(mopd_dataset_gather, dataset, (NULL, 0, 1, x))                                                         \
    X(mopd_dataset_gather, features, (store, 0, 1, NULL))                                                    \
    X(mopd_dataset_select, out, (NULL, data, NULL))                                                          \
    X(mopd_dataset_select, dataset, (&a_dataset, NULL, NULL))                                                \
    X(mopd_dataset_pick, out, (NULL, data, chosen, 2, 0))                                                    \
    X(mopd_dataset_pick, dataset, (&a_dataset, NULL, chosen, 2, 0))                                          \
    X(mopd_dataset_pick, indices, (&a_dataset, data, NULL, 2, 0))                                            \
    X(mopd_dataset_leave_out, out, (NULL, data, 0))                                                          \
    X(mopd_dataset_leave_out, dataset, (&a_dataset, NULL, 0))                                                \
    X(mopd_dataset_withdraw, out, (NULL, data, NULL, "a"))                                                   \
    X(mopd_dataset_withdraw, dataset, (&a_dataset, NULL, NULL, "a"))                                         \
    X(mopd_dataset_encode, out, (NULL, data, NULL, encoder, NULL))                                           \
    X(mopd_dataset_encode, dataset, (&a_dataset, NULL, NULL, encoder, NULL))                                 \
    X(mopd_dataset_encode, encoder, (&a_dataset, data, NULL, NULL, NULL))                                    \
    X(mopd_dataset_save, dataset, (NULL, file))                                                              \
    X(mopd_dataset_save, path, (store, NULL))                                                                \
    X(mopd_encoder_options_init, options, (NULL, sizeof encoder_options))                                    \
    X(mopd_encoder_open, out, (NULL, model, NULL))                                                           \
    X(mopd_encoder_open_memory, out, (NULL, bytes, 8, NULL))                                                 \
    X(mopd_encoder_open_memory, bytes, (&an_encoder, NULL, 8, NULL))                                         \
    X(mopd_share_options_init, options, (NULL, sizeof share_options))                                        \
    X(mopd_encoder_share, out, (NULL, encoder, NULL))                                                        \
    X(mopd_encoder_share, encoder, (&an_encoder, NULL, NULL))                                                \
    X(mopd_encoder_get_info, encoder, (NULL, &encoder_info))                                                 \
    X(mopd_encoder_get_info, info, (encoder, NULL))                                                          \
    X(mopd_encoder_describe, encoder, (NULL, &json))                                                         \
    X(mopd_encoder_describe, json, (encoder, NULL))                                                          \
    X(mopd_inspect, json, (model, NULL))                                                                     \
    X(mopd_encoder_preprocess, encoder, (NULL, image, x))                                                    \
    X(mopd_encoder_preprocess, image, (encoder, NULL, x))                                                    \
    X(mopd_encoder_preprocess, pixels, (encoder, image, NULL))                                               \
    X(mopd_encoder_preprocess_view, encoder, (NULL, image, 1, x))                                            \
    X(mopd_encoder_preprocess_view, image, (encoder, NULL, 1, x))                                            \
    X(mopd_encoder_preprocess_view, pixels, (encoder, image, 1, NULL))                                       \
    X(mopd_encoder_encode_pixels, encoder, (NULL, x, 1, y))                                                  \
    X(mopd_encoder_encode_pixels, pixels, (encoder, NULL, 1, y))                                             \
    X(mopd_encoder_encode_pixels, features, (encoder, x, 1, NULL))                                           \
    X(mopd_encoder_encode_images, encoder, (NULL, (const mopd_image *const *)&image, 1, y))                  \
    X(mopd_encoder_encode_images, images, (encoder, NULL, 1, y))                                             \
    X(mopd_encoder_encode_images, features, (encoder, (const mopd_image *const *)&image, 1, NULL))           \
    X(mopd_encoder_encode_views, encoder, (NULL, (const mopd_image *const *)&image, 1, 1, y))                \
    X(mopd_encoder_encode_views, images, (encoder, NULL, 1, 1, y))                                           \
    X(mopd_encoder_encode_views, features, (encoder, (const mopd_image *const *)&image, 1, 1, NULL))         \
    X(mopd_encoder_encode_files, encoder, (NULL, texts, 1, told, NULL))                                      \
    X(mopd_encoder_encode_files, paths, (encoder, NULL, 1, told, NULL))                                      \
    X(mopd_encoder_encode_files, fn, (encoder, texts, 1, NULL, NULL))                                        \
    X(mopd_encoder_tokenize, encoder, (NULL, "a", &ids, &n))                                                 \
    X(mopd_encoder_tokenize, text, (encoder, NULL, &ids, &n))                                                \
    X(mopd_encoder_tokenize, ids, (encoder, "a", NULL, &n))                                                  \
    X(mopd_encoder_tokenize, n_ids, (encoder, "a", &ids, NULL))                                              \
    X(mopd_encoder_encode_texts, encoder, (NULL, texts, 1, y))                                               \
    X(mopd_encoder_encode_texts, texts, (encoder, NULL, 1, y))                                               \
    X(mopd_encoder_encode_texts, features, (encoder, texts, 1, NULL))                                        \
    X(mopd_encoder_pack, encoder, (NULL, file, MOPD_DTYPE_F32))                                              \
    X(mopd_encoder_pack, path, (encoder, NULL, MOPD_DTYPE_F32))                                              \
    X(mopd_encoder_pack_calibrated, encoder, (NULL, file, MOPD_DTYPE_I8, texts, 1))                          \
    X(mopd_encoder_pack_calibrated, path, (encoder, NULL, MOPD_DTYPE_I8, texts, 1))                          \
    X(mopd_encoder_pack_calibrated, pictures, (encoder, file, MOPD_DTYPE_I8, NULL, 1))                       \
    X(mopd_encoder_gemm_rate, encoder, (NULL, use))                                                          \
    X(mopd_encoder_gemm_rate, gflops, (encoder, NULL))                                                       \
    X(mopd_gate_create, out, (NULL, prompt))                                                                 \
    X(mopd_gate_create, prompt, (&a_gate, NULL))                                                             \
    X(mopd_gate_create_weights, out, (NULL, x, D, 5, 2))                                                     \
    X(mopd_gate_create_weights, weights, (&a_gate, NULL, D, 5, 2))                                           \
    X(mopd_gate_select, gate, (NULL, x, 1, indices, y))                                                      \
    X(mopd_gate_select, features, (gate, NULL, 1, indices, y))                                               \
    X(mopd_gate_select, indices, (gate, x, 1, NULL, y))                                                      \
    X(mopd_gate_select, weights, (gate, x, 1, indices, NULL))                                                \
    X(mopd_gate_use, gate, (NULL, x, 1, use))                                                                \
    X(mopd_gate_use, features, (gate, NULL, 1, use))                                                         \
    X(mopd_gate_use, use, (gate, x, 1, NULL))                                                                \
    X(mopd_gda_create, out, (NULL, bank, x, labels, N, 1))                                                   \
    X(mopd_gda_create, bank, (&a_gda, NULL, x, labels, N, 1))                                                \
    X(mopd_gda_create, features, (&a_gda, bank, NULL, labels, N, 1))                                         \
    X(mopd_gda_create, labels, (&a_gda, bank, x, NULL, N, 1))                                                \
    X(mopd_gda_create_classes, out, (NULL, gda, bank))                                                       \
    X(mopd_gda_create_classes, known, (&a_gda, NULL, bank))                                                  \
    X(mopd_gda_create_classes, bank, (&a_gda, gda, NULL))                                                    \
    X(mopd_gda_logits, gda, (NULL, x, 1, y))                                                                 \
    X(mopd_gda_logits, features, (gda, NULL, 1, y))                                                          \
    X(mopd_gda_logits, logits, (gda, x, 1, NULL))                                                            \
    X(mopd_gda_probabilities, gda, (NULL, x, N, y))                                                          \
    X(mopd_gda_probabilities, features, (gda, NULL, N, y))                                                   \
    X(mopd_gda_probabilities, probabilities, (gda, x, N, NULL))                                              \
    X(mopd_gda_save, gda, (NULL, file))                                                                      \
    X(mopd_gda_save, path, (gda, NULL))                                                                      \
    X(mopd_gda_open, out, (NULL, absent, encoder))                                                           \
    X(mopd_gda_open, path, (&a_gda, NULL, encoder))                                                          \
    X(mopd_image_options_init, options, (NULL, sizeof image_options))                                        \
    X(mopd_image_open, out, (NULL, file, NULL))                                                              \
    X(mopd_image_open, path, (&an_image, NULL, NULL))                                                        \
    X(mopd_image_decode, out, (NULL, bytes, 8, NULL))                                                        \
    X(mopd_image_decode, bytes, (&an_image, NULL, 8, NULL))                                                  \
    X(mopd_image_sharpness, image, (NULL, &share))                                                           \
    X(mopd_image_sharpness, sharpness, (image, NULL))                                                        \
    X(mopd_image_signature, image, (NULL, x))                                                                \
    X(mopd_image_signature, signature, (image, NULL))                                                        \
    X(mopd_pairs_find, rows, (NULL, 2, D, 0.9, pairs, &n))                                                   \
    X(mopd_pairs_find, n_pairs, (x, 2, D, 0.9, pairs, NULL))                                                 \
    X(mopd_pairs_find, pairs, (x, 2, D, 0.9, NULL, &some))                                                   \
    X(mopd_image_create, out, (NULL, bytes, 2, 2, 3, 0))                                                     \
    X(mopd_image_create, samples, (&an_image, NULL, 2, 2, 3, 0))                                             \
    X(mopd_image_crop, out, (NULL, image, 0, 0, 1, 1))                                                       \
    X(mopd_image_crop, image, (&an_image, NULL, 0, 0, 1, 1))                                                 \
    X(mopd_frame_init, frame, (NULL, sizeof frame))                                                          \
    X(mopd_image_create_frame, out, (NULL, &frame))                                                          \
    X(mopd_image_create_frame, frame, (&an_image, NULL))                                                     \
    X(mopd_method_find, name, (NULL, &number))                                                               \
    X(mopd_method_find, method, ("mopd", NULL))                                                              \
    X(mopd_prompt_open, out, (NULL, file, NULL))                                                             \
    X(mopd_prompt_open, path, (&a_prompt, NULL, NULL))                                                       \
    X(mopd_prompt_create_trainer, out, (NULL, trainer))                                                      \
    X(mopd_prompt_create_trainer, trainer, (&a_prompt, NULL))                                                \
    X(mopd_prompt_save, prompt, (NULL, file))                                                                \
    X(mopd_prompt_save, path, (prompt, NULL))                                                                \
    X(mopd_prompt_get_info, prompt, (NULL, &prompt_info))                                                    \
    X(mopd_prompt_get_info, info, (prompt, NULL))                                                            \
    X(mopd_prompt_describe, prompt, (NULL, &json))                                                           \
    X(mopd_prompt_describe, json, (prompt, NULL))                                                            \
    X(mopd_templates_for, name, (NULL, &words, &n))                                                          \
    X(mopd_templates_for, templates, ("dtd", NULL, &n))                                                      \
    X(mopd_templates_for, n, ("dtd", &words, NULL))                                                          \
    X(mopd_trainer_options_init, options, (NULL, sizeof options))                                            \
    X(mopd_run_init, run, (NULL, sizeof run))                                                                \
    X(mopd_setting_get, setting, (0, NULL))                                                                  \
    X(mopd_trainer_create, out, (NULL, encoder, texts, 2, &options))                                         \
    X(mopd_trainer_create, encoder, (&a_trainer, NULL, texts, 2, &options))                                  \
    X(mopd_trainer_create, classes, (&a_trainer, encoder, NULL, 2, &options))                                \
    X(mopd_trainer_step, trainer, (NULL, x, labels, 8, &step))                                               \
    X(mopd_trainer_step, features, (trainer, NULL, labels, 8, &step))                                        \
    X(mopd_trainer_step, labels, (trainer, x, NULL, 8, &step))                                               \
    X(mopd_trainer_end_epoch, trainer, (NULL))                                                               \
    X(mopd_trainer_run, trainer, (NULL, &run))                                                               \
    X(mopd_trainer_run, run, (trainer, NULL))                                                                \
    X(mopd_trainer_note, trainer, (NULL, "key", "text"))                                                     \
    X(mopd_trainer_note, key, (trainer, NULL, "text"))                                                       \
    X(mopd_trainer_note, text, (trainer, "key", NULL))                                                       \
    X(mopd_trainer_checkpoint, trainer, (NULL, file))                                                        \
    X(mopd_trainer_checkpoint, path, (trainer, NULL))                                                        \
    X(mopd_trainer_resume, trainer, (NULL, file))                                                            \
    X(mopd_trainer_resume, path, (trainer, NULL))                                                            \
    X(mopd_trainer_options_choose, options, (NULL, encoder, texts, 2, &run, &json))                          \
    X(mopd_trainer_options_choose, encoder, (&options, NULL, texts, 2, &run, &json))                         \
    X(mopd_trainer_options_choose, classes, (&options, encoder, NULL, 2, &run, &json))                       \
    X(mopd_trainer_options_choose, run, (&options, encoder, texts, 2, NULL, &json))                          \
    X(mopd_recognizer_options_init, options, (NULL, sizeof recognizer_options))                              \
    X(mopd_recognizer_create, out, (NULL, encoder, texts, 2, x, one, 1, NULL))                               \
    X(mopd_recognizer_create, encoder, (&a_recognizer, NULL, texts, 2, x, one, 1, NULL))                     \
    X(mopd_recognizer_create, classes, (&a_recognizer, encoder, NULL, 2, x, one, 1, NULL))                   \
    X(mopd_recognizer_create, features, (&a_recognizer, encoder, texts, 2, NULL, one, 1, NULL))              \
    X(mopd_recognizer_create, labels, (&a_recognizer, encoder, texts, 2, x, NULL, 1, NULL))                  \
    X(mopd_recognizer_extend, out, (NULL, recognizer, x, one, 1, 0))                                         \
    X(mopd_recognizer_extend, recognizer, (&a_recognizer, NULL, x, one, 1, 0))                               \
    X(mopd_recognizer_extend, features, (&a_recognizer, recognizer, NULL, one, 1, 0))                        \
    X(mopd_recognizer_extend, labels, (&a_recognizer, recognizer, x, NULL, 1, 0))                            \
    X(mopd_recognizer_extend_views, out, (NULL, recognizer, x, 1, one, 1, 0))                                \
    X(mopd_recognizer_extend_views, recognizer, (&a_recognizer, NULL, x, 1, one, 1, 0))                      \
    X(mopd_recognizer_extend_views, features, (&a_recognizer, recognizer, NULL, 1, one, 1, 0))               \
    X(mopd_recognizer_extend_views, labels, (&a_recognizer, recognizer, x, 1, NULL, 1, 0))                   \
    X(mopd_recognizer_withdraw, out, (NULL, recognizer, chosen, 2, 0))                                       \
    X(mopd_recognizer_withdraw, recognizer, (&a_recognizer, NULL, chosen, 2, 0))                             \
    X(mopd_recognizer_withdraw, indices, (&a_recognizer, recognizer, NULL, 2, 0))                            \
    X(mopd_recognizer_with_classes, out, (NULL, recognizer, encoder, texts, 2))                              \
    X(mopd_recognizer_with_classes, recognizer, (&a_recognizer, NULL, encoder, texts, 2))                    \
    X(mopd_recognizer_with_classes, encoder, (&a_recognizer, recognizer, NULL, texts, 2))                    \
    X(mopd_recognizer_with_classes, classes, (&a_recognizer, recognizer, encoder, NULL, 2))                  \
    X(mopd_recognizer_save, recognizer, (NULL, file))                                                        \
    X(mopd_recognizer_save, path, (recognizer, NULL))                                                        \
    X(mopd_recognizer_open, out, (NULL, file, NULL))                                                         \
    X(mopd_recognizer_open, path, (&a_recognizer, NULL, NULL))                                               \
    X(mopd_recognizer_get_info, recognizer, (NULL, &recognizer_info))                                        \
    X(mopd_recognizer_get_info, info, (recognizer, NULL))                                                    \
    X(mopd_recognizer_logits, recognizer, (NULL, x, 1, y))                                                   \
    X(mopd_recognizer_logits, features, (recognizer, NULL, 1, y))                                            \
    X(mopd_recognizer_logits, logits, (recognizer, x, 1, NULL))                                              \
    X(mopd_recognizer_probabilities, recognizer, (NULL, x, 1, y))                                            \
    X(mopd_recognizer_probabilities, features, (recognizer, NULL, 1, y))                                     \
    X(mopd_recognizer_probabilities, probabilities, (recognizer, x, 1, NULL))                                \
    X(mopd_recognizer_scores, recognizer, (NULL, x, 1, y))                                                   \
    X(mopd_recognizer_scores, features, (recognizer, NULL, 1, y))                                            \
    X(mopd_recognizer_scores, scores, (recognizer, x, 1, NULL))                                              \
    X(mopd_recognizer_top, recognizer, (NULL, x, 1, 1, matches))                                             \
    X(mopd_recognizer_top, features, (recognizer, NULL, 1, 1, matches))                                      \
    X(mopd_recognizer_top, matches, (recognizer, x, 1, 1, NULL))                                             \
    X(mopd_recognizer_sets, recognizer, (NULL, x, 1, 0.5, bytes))                                            \
    X(mopd_recognizer_sets, features, (recognizer, NULL, 1, 0.5, bytes))                                     \
    X(mopd_recognizer_sets, in, (recognizer, x, 1, 0.5, NULL))                                               \
    X(mopd_recognizer_suspects, recognizer, (NULL, suspects, &n))                                            \
    X(mopd_recognizer_suspects, n, (recognizer, suspects, NULL))                                             \
    X(mopd_recognizer_suspects, suspects, (recognizer, NULL, &some))                                         \
    X(mopd_recognizer_left_out, recognizer, (NULL, y))                                                       \
    X(mopd_recognizer_left_out, probabilities, (recognizer, NULL))                                           \
    X(mopd_recognizer_alarms, recognizer, (NULL, 0.5, &share))                                               \
    X(mopd_recognizer_alarms, share, (recognizer, 0.5, NULL))                                                \
    X(mopd_recognizer_more, recognizer, (NULL, &share, &share))                                              \
    X(mopd_recognizer_more, low, (recognizer, NULL, &share))                                                 \
    X(mopd_recognizer_more, high, (recognizer, &share, NULL))

/* Function, the list that is said to have `most` entries, a call. */
#define COUNTED(X)                                                                                           \
    X(mopd_bank_create, classes, (&a_bank, encoder, texts, most, NULL, 0))                                   \
    X(mopd_bank_create, templates, (&a_bank, encoder, texts, 2, texts, most))                                \
    X(mopd_classes_check, classes, (texts, most, NULL))                                                      \
    X(mopd_bank_create_features, classes, (&a_bank, texts, most, x, D, 1))                                   \
    X(mopd_bank_create_features, features, (&a_bank, texts, 2, x, most, 1))                                  \
    X(mopd_bank_create_calibrated, features, (&a_bank, bank, x, labels, most))                               \
    X(mopd_bank_create_prompt, classes, (&a_bank, encoder, texts, most, prompt))                             \
    X(mopd_bank_create_prompt_unseen, classes, (&a_bank, encoder, texts, most, prompt, 1))                   \
    X(mopd_bank_create_trainer, classes, (&a_bank, trainer, texts, most))                                    \
    X(mopd_bank_logits, features, (bank, x, most, y))                                                        \
    X(mopd_bank_probabilities, features, (bank, x, most, y))                                                 \
    X(mopd_bank_sigmoids, features, (bank, x, most, y))                                                      \
    X(mopd_bank_top, features, (bank, x, most, 1, matches))                                                  \
    X(mopd_calibration_add, logits, (sums, C, y, labels, most))                                              \
    X(mopd_clusters_choose, rows, (x, most, D, 1, 1, chosen_rows))                                           \
    X(mopd_clusters_choose, rows, (x, 2, most, 1, 1, chosen_rows))                                           \
    X(mopd_confusion_add, confusion, (counts, most, y, labels, 1))                                           \
    X(mopd_confusion_add, logits, (counts, C, y, labels, most))                                              \
    X(mopd_confusion_get_metrics, confusion, (counts, most, &metrics))                                       \
    X(mopd_dataset_with_names, names, (&a_dataset, data, texts, most))                                       \
    X(mopd_dataset_pick, indices, (&a_dataset, data, chosen, most, 0))                                       \
    X(mopd_encoder_open_memory, bytes, (&an_encoder, bytes, most, &encoder_options))                         \
    X(mopd_encoder_encode_pixels, pixels, (encoder, x, most, y))                                             \
    X(mopd_encoder_encode_images, images, (encoder, (const mopd_image *const *)&image, most, y))             \
    X(mopd_encoder_encode_views, images, (encoder, (const mopd_image *const *)&image, most, 1, y))           \
    X(mopd_encoder_encode_files, paths, (encoder, texts, most, told, NULL))                                  \
    X(mopd_encoder_pack_calibrated, pictures, (encoder, file, MOPD_DTYPE_I8, texts, most))                   \
    X(mopd_encoder_encode_texts, texts, (encoder, texts, most, y))                                           \
    X(mopd_gate_create_weights, weights, (&a_gate, x, most, 2, 1))                                           \
    X(mopd_gate_create_weights, weights, (&a_gate, x, 2, most, 1))                                           \
    X(mopd_gate_select, features, (gate, x, most, indices, y))                                               \
    X(mopd_gate_use, features, (gate, x, most, use))                                                         \
    X(mopd_gda_create, labels, (&a_gda, bank, x, labels, most, 1))                                           \
    X(mopd_gda_logits, features, (gda, x, most, y))                                                          \
    X(mopd_gda_probabilities, features, (gda, x, most, y))                                                   \
    X(mopd_image_decode, bytes, (&an_image, bytes, most, &image_options))                                    \
    X(mopd_pairs_find, rows, (x, most, D, 0.5, pairs, &n))                                                   \
    X(mopd_recognizer_create, classes, (&a_recognizer, encoder, texts, most, x, one, 1, NULL))               \
    X(mopd_recognizer_create, features, (&a_recognizer, encoder, texts, 2, x, one, most, NULL))              \
    X(mopd_recognizer_extend, features, (&a_recognizer, recognizer, x, one, most, 0))                        \
    X(mopd_recognizer_extend_views, features, (&a_recognizer, recognizer, x, 1, one, most, 0))               \
    X(mopd_recognizer_withdraw, indices, (&a_recognizer, recognizer, chosen, most, 0))                       \
    X(mopd_recognizer_with_classes, classes, (&a_recognizer, recognizer, encoder, texts, most))              \
    X(mopd_recognizer_logits, features, (recognizer, x, most, y))                                            \
    X(mopd_recognizer_probabilities, features, (recognizer, x, most, y))                                     \
    X(mopd_recognizer_scores, features, (recognizer, x, most, y))                                            \
    X(mopd_recognizer_top, features, (recognizer, x, most, 1, matches))                                      \
    X(mopd_recognizer_sets, features, (recognizer, x, most, 0.5, bytes))                                     \
    X(mopd_trainer_create, classes, (&a_trainer, encoder, texts, most, &options))                            \
    X(mopd_trainer_options_choose, classes, (&options, encoder, texts, most, &run, NULL))

/* Function, a call with a row of features at `bad` that no logits can come of. */
#define MEASURED(X)                                                                                          \
    X(mopd_bank_create_calibrated, (&a_bank, bank, bad, labels, 2))                                          \
    X(mopd_bank_logits, (bank, bad, 2, y))                                                                   \
    X(mopd_bank_probabilities, (bank, bad, 2, y))                                                            \
    X(mopd_bank_sigmoids, (bank, bad, 2, y))                                                                 \
    X(mopd_bank_top, (bank, bad, 2, 1, matches))                                                             \
    X(mopd_gate_select, (gate, bad, 2, indices, y))                                                          \
    X(mopd_gate_use, (gate, bad, 2, use))                                                                    \
    X(mopd_gda_create, (&a_gda, bank, bad, labels, 2, 1))                                                    \
    X(mopd_gda_logits, (gda, bad, 2, y))                                                                     \
    X(mopd_gda_probabilities, (gda, bad, 2, y))                                                              \
    X(mopd_recognizer_logits, (recognizer, bad, 2, y))                                                       \
    X(mopd_recognizer_probabilities, (recognizer, bad, 2, y))                                                \
    X(mopd_recognizer_scores, (recognizer, bad, 2, y))                                                       \
    X(mopd_recognizer_top, (recognizer, bad, 2, 1, matches))                                                 \
    X(mopd_recognizer_sets, (recognizer, bad, 2, 0.5, bytes))

/* A call that may lack this argument, and what comes of it. */
#define OPTIONAL(X)                                                                                          \
    X(mopd_runtime_set_limits, limits, (NULL), MOPD_OK)                                                      \
    X(mopd_runtime_set_stop, fn, (NULL, NULL), MOPD_OK)                                                      \
    X(mopd_runtime_set_stop, context, (NULL, NULL), MOPD_OK)                                                 \
    X(mopd_classes_check, same, (texts, 2, NULL), MOPD_OK)                                                   \
    X(mopd_bank_open, encoder, (&a_bank, absent, NULL), MOPD_E_IO)                                           \
    X(mopd_gda_open, encoder, (&a_gda, absent, NULL), MOPD_E_IO)                                             \
    X(mopd_dataset_open, options, (&a_dataset, folder, NULL), MOPD_OK)                                       \
    X(mopd_dataset_select, selection, (&a_dataset, data, NULL), MOPD_OK)                                     \
    X(mopd_dataset_withdraw, path, (&a_dataset, data, NULL, "a"), MOPD_OK)                                   \
    X(mopd_dataset_withdraw, class_name, (&a_dataset, data, "a/0.png", NULL), MOPD_OK)                       \
    X(mopd_dataset_encode, known, (&a_dataset, data, NULL, encoder, &encode_options), MOPD_OK)               \
    X(mopd_dataset_open_image, options, (&an_image, data, 0, NULL), MOPD_OK)                                 \
    X(mopd_dataset_encode, options, (&a_dataset, data, store, encoder, NULL), MOPD_OK)                       \
    X(mopd_encoder_open, path, (&an_encoder, NULL, &encoder_options), MOPD_OK)                               \
    X(mopd_encoder_open, options, (&an_encoder, model, NULL), MOPD_OK)                                       \
    X(mopd_encoder_open_memory, options, (&an_encoder, bytes, 8, NULL), MOPD_E_FORMAT)                       \
    X(mopd_encoder_share, options, (&an_encoder, encoder, NULL), MOPD_OK)                                    \
    X(mopd_inspect, path, (NULL, &json), MOPD_OK)                                                            \
    X(mopd_encoder_encode_files, context, (encoder, texts, 1, told, NULL), MOPD_OK)                          \
    X(mopd_image_open, options, (&an_image, file, NULL), MOPD_OK)                                            \
    X(mopd_image_decode, options, (&an_image, bytes, 8, NULL), MOPD_E_FORMAT)                                \
    X(mopd_prompt_open, encoder, (&a_prompt, model, NULL), MOPD_E_IO)                                        \
    X(mopd_runtime_set_allocator, allocator, (NULL), MOPD_E_STATE)                                           \
    X(mopd_runtime_set_cpu, path, (NULL), MOPD_E_STATE)                                                      \
    X(mopd_trainer_create, options, (&a_trainer, encoder, texts, 2, NULL), MOPD_E_ARG)                       \
    X(mopd_trainer_step, step, (trainer, x, labels, 8, NULL), MOPD_OK)                                       \
    X(mopd_trainer_options_choose, report, (&options, encoder, texts, 2, &run, NULL), MOPD_E_ARG)            \
    X(mopd_recognizer_create, options, (&a_recognizer, encoder, texts, 2, x, one, 1, NULL), MOPD_OK)         \
    X(mopd_recognizer_open, encoder, (&a_recognizer, absent, NULL), MOPD_E_IO)

/* Functions without a status: a call without the handle, and what it says. */
#define TOLERANT(X)                                                                                          \
    X(mopd_bank_n_classes, (NULL), 0)                                                                        \
    X(mopd_bank_dim, (NULL), 0)                                                                              \
    X(mopd_bank_class_name, (NULL, 0), NULL)                                                                 \
    X(mopd_bank_features, (NULL), NULL)                                                                      \
    X((int)mopd_bank_logit_scale, (NULL), 0)                                                                 \
    X((int)mopd_bank_logit_bias, (NULL), 0)                                                                  \
    X(*mopd_bank_fingerprint, (NULL), 0)                                                                     \
    X(mopd_bank_template, (NULL, 0), NULL)                                                                   \
    X(mopd_dataset_class_name, (NULL, 0), NULL)                                                              \
    X(mopd_dataset_label_name, (NULL, 0), NULL)                                                              \
    X(mopd_dataset_class_names, (NULL), NULL)                                                                \
    X(mopd_dataset_labels, (NULL), NULL)                                                                     \
    X(mopd_dataset_feature, (NULL, 0, 0), NULL)                                                              \
    X(mopd_file_kind, (NULL, 0), NULL)                                                                       \
    X(mopd_gate_n_templates, (NULL), 0)                                                                      \
    X(mopd_gate_top_k, (NULL), 0)                                                                            \
    X(mopd_gate_dim, (NULL), 0)                                                                              \
    X(mopd_image_width, (NULL), 0)                                                                           \
    X(mopd_image_height, (NULL), 0)                                                                          \
    X(mopd_image_samples, (NULL), NULL)                                                                      \
    X(mopd_image_takes, (NULL), 0)                                                                           \
    X(mopd_prompt_context, (NULL), NULL)                                                                     \
    X(mopd_prompt_gate, (NULL), NULL)                                                                        \
    X(mopd_recognizer_class_name, (NULL, 0), NULL)                                                           \
    X(mopd_prompt_class_name, (NULL, 0), NULL)                                                               \
    X(mopd_prompt_template, (NULL, 0), NULL)                                                                 \
    X(*mopd_dataset_fingerprint, (NULL), 0)                                                                  \
    X(*mopd_encoder_fingerprint, (NULL), 0)                                                                  \
    X((int)mopd_calibration_ece, (NULL), 0)                                                                  \
    X((int)mopd_calibration_nll, (NULL), 0)                                                                  \
    X((int)mopd_gda_alpha, (NULL), 0)                                                                        \
    X((int)mopd_gda_temperature, (NULL), 0)                                                                  \
    X(mopd_gda_n_classes, (NULL), 0)                                                                         \
    X(mopd_gda_dim, (NULL), 0)                                                                               \
    X(mopd_gda_class_name, (NULL, 0), NULL)                                                                  \
    X(mopd_trainer_n_epochs, (NULL, 1), 0)                                                                   \
    X((int)mopd_trainer_lr, (NULL, 1), 0)

#define FREEING(X)                                                                                           \
    X(mopd_bank_free)                                                                                        \
    X(mopd_dataset_close)                                                                                    \
    X(mopd_encoder_close)                                                                                    \
    X(mopd_free)                                                                                             \
    X(mopd_gate_free)                                                                                        \
    X(mopd_gda_free)                                                                                         \
    X(mopd_image_close)                                                                                      \
    X(mopd_image_free)                                                                                       \
    X(mopd_recognizer_close)                                                                                 \
    X(mopd_prompt_close)                                                                                     \
    X(mopd_trainer_free)

/* Former names, and what the message says: their successor refuses. */
#define FORMER(X)                                                                                            \
    X(mopd_metrics_compute, metrics, (NULL, counts, C), mopd_confusion_get_metrics)                          \
    X(mopd_metrics_compute, confusion, (&metrics, NULL, C), mopd_confusion_get_metrics)                      \
    X(mopd_trainer_prompt, trainer, (NULL, &a_prompt), mopd_prompt_create_trainer)                           \
    X(mopd_trainer_prompt, out, (trainer, NULL), mopd_prompt_create_trainer)                                 \
    X(mopd_trainer_bank, trainer, (NULL, &a_bank, texts, 2), mopd_bank_create_trainer)                       \
    X(mopd_trainer_bank, out, (trainer, NULL, texts, 2), mopd_bank_create_trainer)                           \
    X(mopd_trainer_bank, classes, (trainer, &a_bank, NULL, 2), mopd_bank_create_trainer)                     \
    X(mopd_trainer_choose, encoder, (NULL, texts, 2, &options, &run, &json), mopd_trainer_options_choose)    \
    X(mopd_trainer_choose, classes, (encoder, NULL, 2, &options, &run, &json), mopd_trainer_options_choose)  \
    X(mopd_trainer_choose, options, (encoder, texts, 2, NULL, &run, &json), mopd_trainer_options_choose)     \
    X(mopd_trainer_choose, run, (encoder, texts, 2, &options, NULL, &json), mopd_trainer_options_choose)     \
    X(mopd_trainer_choose, report, (encoder, texts, 2, &options, &run, NULL), NULL)

/* The flags known today, where they stand, a call that gets others, and who is named. */
#define FLAGS(X)                                                                                             \
    X(mopd_limits, limits.flags, 0, (mopd_runtime_set_limits(&limits)))                                      \
    X(mopd_limits, limits.flags, 0, (mopd_limits_set(&limits, "tensors", "1")))                              \
    X(mopd_image_options, image_options.flags, MOPD_IMAGE_SCALE_GREY16 | MOPD_IMAGE_UPRIGHT,                 \
        (mopd_image_open(&an_image, file, &image_options)))                                                  \
    X(mopd_image_options, image_options.flags, MOPD_IMAGE_SCALE_GREY16 | MOPD_IMAGE_UPRIGHT,                 \
        (mopd_image_decode(&an_image, bytes, 8, &image_options)))                                            \
    X(mopd_frame, frame.flags,                                                                               \
        MOPD_FRAME_SCALE_GREY16 | MOPD_FRAME_NO_ALPHA | MOPD_FRAME_BORROW | MOPD_FRAME_BT709 |               \
            MOPD_FRAME_FULL_RANGE,                                                                           \
        (mopd_image_create_frame(&an_image, &frame)))                                                        \
    X(mopd_encoder_options, encoder_options.flags,                                                           \
        MOPD_OPEN_READ | MOPD_TEXT_TRUNCATE | MOPD_OPEN_SCALE_GREY16 | MOPD_OPEN_UPRIGHT | MOPD_TEXT_CLEAN | \
            MOPD_TEXT_AS_IS,                                                                                 \
        (mopd_encoder_open(&an_encoder, model, &encoder_options)))                                           \
    X(mopd_dataset_options, dataset_options.flags,                                                           \
        MOPD_DATASET_READ | MOPD_DATASET_UNLABELLED | MOPD_DATASET_MAY_LACK_LABELS,                          \
        (mopd_dataset_open(&a_dataset, folder, &dataset_options)))                                           \
    X(mopd_encode_options, encode_options.flags,                                                             \
        MOPD_ENCODE_SKIP_BAD | MOPD_ENCODE_SYNC | MOPD_ENCODE_FIXED,                                         \
        (mopd_dataset_encode(&a_dataset, data, NULL, encoder, &encode_options)))                             \
    X(mopd_trainer_options, options.flags, MOPD_TRAIN_CLASS_CONTEXT | MOPD_TRAIN_NO_SHUFFLE,                 \
        (mopd_trainer_create(&a_trainer, encoder, texts, 2, &options)))                                      \
    X(mopd_trainer_options, options.flags, MOPD_TRAIN_CLASS_CONTEXT | MOPD_TRAIN_NO_SHUFFLE,                 \
        (mopd_trainer_options_choose(&options, encoder, texts, 2, &run, NULL)))                              \
    X(mopd_run, run.flags, 0, (mopd_trainer_run(trainer, &run)))                                             \
    X(mopd_run, run.flags, 0, (mopd_trainer_options_choose(&options, encoder, texts, 2, &run, NULL)))        \
    X(mopd_dataset_pick, pick_flags, MOPD_PICK_RELABEL,                                                      \
        (mopd_dataset_pick(&a_dataset, data, chosen, 2, pick_flags)))                                        \
    X(mopd_recognizer_options, recognizer_options.flags, 0,                                                  \
        (mopd_recognizer_create(&a_recognizer, encoder, texts, 2, x, one, 1, &recognizer_options)))          \
    X(mopd_recognizer_extend, pick_flags, MOPD_RECOGNIZER_CHOOSE,                                            \
        (mopd_recognizer_extend(&a_recognizer, recognizer, x, one, 1, pick_flags)))                          \
    X(mopd_recognizer_extend_views, pick_flags, MOPD_RECOGNIZER_CHOOSE,                                      \
        (mopd_recognizer_extend_views(&a_recognizer, recognizer, x, 1, one, 1, pick_flags)))                 \
    X(mopd_recognizer_withdraw, pick_flags, MOPD_RECOGNIZER_CHOOSE,                                          \
        (mopd_recognizer_withdraw(&a_recognizer, recognizer, chosen, 2, pick_flags)))
