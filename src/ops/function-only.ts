/**
 * The ops of the torch namespace that are no methods of Tensor: nothing but a program that names them needs them, and a bundler leaves
 * the others out. One line for each file.
 */
export * from "./pointwise/activation-functions.ts";
export { batch_norm, instance_norm, native_batch_norm } from "./nn/batch-norm.ts";
export * from "./linalg/bilinear.ts";
export * from "./shape/combining.ts";
export { chain_matmul } from "./linalg/multi-dot.ts";
export * from "./nn/convolution.ts";
export * from "./creation/creation.ts";
export { BoolTensor, ByteTensor, CharTensor, DoubleTensor, FloatTensor, IntTensor, LongTensor, set_default_tensor_type, ShortTensor } from "./creation/legacy.ts";
export * from "./linalg/distance.ts";
export * from "./nn/dropout.ts";
export * from "./linalg/einsum.ts";
export { embedding } from "./nn/embedding.ts";
export { group_norm, native_group_norm } from "./nn/group-norm.ts";
export * from "./indexing/index-lists.ts";
export * from "./inplace-functions.ts";
export * from "./shape/joining.ts";
export { layer_norm, native_layer_norm } from "./nn/layer-norm.ts";
export { constant_pad_nd } from "./nn/padding.ts";
export { adaptive_avg_pool1d, adaptive_max_pool1d, avg_pool1d, max_pool1d, max_pool1d_with_indices, max_pool2d, max_pool3d } from "./nn/pooling.ts";
export * from "./queries.ts";
export * from "./reductions/integrals.ts";
export * from "./creation/ranges.ts";
export { rrelu, rrelu_ } from "./nn/rrelu.ts";
export * from "./random/random.ts";
export { rms_norm } from "./nn/rms-norm.ts";
export * from "./shape/sample-gradient.ts";
export * from "./reductions/searching.ts";
export * from "./shape/shuffling.ts";
export { polygamma } from "./pointwise/gamma-functions.ts";
export * from "./creation/type-info.ts";
export { vander } from "./linalg/vander.ts";
