/** torch.autograd */
import { queueCallback } from "./engine.ts";

export { detect_anomaly, set_detect_anomaly } from "./anomaly.ts";
export { backward, grad } from "./backward.ts";
export { Function } from "./function.ts";
export * as function from "./function.ts";
export { enable_grad, inference_mode, no_grad, set_grad_enabled } from "./grad-mode.ts";
export * as graph from "./graph.ts";
export { SavedTensor } from "./saved-tensor.ts";
export { _unsafe_preserve_version_counter } from "./version-counter.ts";

/** The engine as PyTorch's own Python code reaches it. */
export const Variable = {
  _execution_engine: {
    /** Calls `callback` when the running backward is complete; to be called in a hook. */
    queue_callback: queueCallback,
  },
};
