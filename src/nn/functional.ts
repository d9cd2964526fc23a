/** The namespace torch.nn.functional. */
export { huber_loss, l1_loss, mse_loss, smooth_l1_loss } from "../ops/nn/loss.ts";
export { cross_entropy, nll_loss } from "../ops/nn/class-loss.ts";
export { binary_cross_entropy, binary_cross_entropy_with_logits, gaussian_nll_loss, kl_div, poisson_nll_loss } from "../ops/nn/probability-loss.ts";
export {
  cosine_embedding_loss,
  hinge_embedding_loss,
  margin_ranking_loss,
  multi_margin_loss,
  multilabel_margin_loss,
  multilabel_soft_margin_loss,
  soft_margin_loss,
  triplet_margin_loss,
  triplet_margin_with_distance_loss,
} from "../ops/nn/margin-loss.ts";
export { ctc_loss } from "../ops/nn/ctc.ts";
export { embedding_bag } from "../ops/nn/embedding-bag.ts";
export { affine_grid, grid_sample } from "../ops/nn/grid-sample.ts";
export { scaled_dot_product_attention } from "../ops/nn/attention.ts";
export { interpolate, upsample, upsample_bilinear, upsample_nearest } from "../ops/nn/interpolation.ts";
export { multi_head_attention_forward } from "./multi-head-attention.ts";
export { local_response_norm } from "../ops/nn/local-response-norm.ts";
export { pad } from "../ops/nn/padding.ts";
export { rms_norm } from "../ops/nn/rms-norm.ts";
export * from "../ops/shape/shuffling.ts";
export { functionalBatchNorm as batch_norm, functionalInstanceNorm as instance_norm } from "../ops/nn/batch-norm.ts";
export { functionalGroupNorm as group_norm } from "../ops/nn/group-norm.ts";
export { functionalLayerNorm as layer_norm } from "../ops/nn/layer-norm.ts";
export { functionalEmbedding as embedding, one_hot } from "../ops/nn/embedding.ts";
export { cosine_similarity, pairwise_distance, pdist } from "../ops/linalg/distance.ts";
export { sigmoid } from "../ops/pointwise/exponential.ts";
export { tanh } from "../ops/pointwise/trigonometric.ts";
export { gumbel_softmax, log_softmax, normalize, relu, softmax, softmin } from "./activations.ts";
export * from "./element-activations.ts";
export { hardshrink, prelu } from "../ops/pointwise/activation.ts";
export { celu_, selu_, threshold_ } from "../ops/pointwise/activation-functions.ts";
export { conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d } from "../ops/nn/convolution.ts";
export { relu_ } from "../ops/inplace-functions.ts";
export { bilinear } from "../ops/linalg/bilinear.ts";
export { linear } from "../ops/linalg/linear.ts";
export { functionalRrelu as rrelu, rrelu_ } from "../ops/nn/rrelu.ts";
export { fold, unfold } from "../ops/nn/sliding-blocks.ts";
export * from "../ops/nn/lp-pooling.ts";
export * from "../ops/nn/max-unpooling.ts";
export * from "../ops/nn/pooling.ts";
export { alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout } from "./dropout.ts";
