/**
 * The ops of the torch namespace that are no methods of Tensor: nothing but a program that names them needs them, and a bundler leaves
 * the others out. One line for each file.
 */
export { batch_norm, instance_norm, native_batch_norm } from "./batch-norm.ts";
export * from "./bilinear.ts";
export * from "./combining.ts";
export * from "./convolution.ts";
export * from "./creation.ts";
export * from "./distance.ts";
export * from "./dropout.ts";
export * from "./einsum.ts";
export { embedding } from "./embedding.ts";
export { group_norm, native_group_norm } from "./group-norm.ts";
export * from "./index-lists.ts";
export * from "./inplace-functions.ts";
export * from "./joining.ts";
export { layer_norm, native_layer_norm } from "./layer-norm.ts";
export { constant_pad_nd } from "./padding.ts";
export { adaptive_avg_pool1d, adaptive_max_pool1d, avg_pool1d, max_pool1d, max_pool2d, max_pool3d } from "./pooling.ts";
export * from "./queries.ts";
export * from "./ranges.ts";
export { rms_norm } from "./rms-norm.ts";
export * from "./sample-gradient.ts";
export * from "./shuffling.ts";
export * from "./type-info.ts";
