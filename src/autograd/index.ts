/** torch.autograd */
export { detect_anomaly, set_detect_anomaly } from "./anomaly.ts";
export { backward, grad } from "./backward.ts";
export { Function } from "./function.ts";
export * as function from "./function.ts";
export { enable_grad, inference_mode, no_grad, set_grad_enabled } from "./grad-mode.ts";
export * as graph from "./graph.ts";
export { SavedTensor } from "./saved-tensor.ts";
export { Variable } from "./variable-class.ts";
export { _unsafe_preserve_version_counter } from "./version-counter.ts";
