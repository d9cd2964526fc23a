/** The namespace torch.nn.functional. */
export { huber_loss, l1_loss, mse_loss, smooth_l1_loss } from "../ops/loss.ts";
export { sigmoid } from "../ops/exponential.ts";
export { tanh } from "../ops/trigonometric.ts";
export { log_softmax, normalize, relu, softmax, softmin } from "./activations.ts";
export * from "./element-activations.ts";
export { hardshrink, prelu } from "../ops/activation.ts";
export { linear } from "../ops/linear.ts";
export { alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout } from "./dropout.ts";
