/** The torch namespace: `import * as torch from "leafgrad"`. */
import "./ops/methods.ts";

export { Tensor } from "./ops/creation/legacy.ts";
export * from "./ops/functions.ts";
export * from "./ops/function-only.ts";
export { get_num_threads, set_num_threads } from "./ops/parallel.ts";
export { resize_as_ } from "./ops/shape/resizing.ts";
export { device, strided } from "./tensor/device.ts";
export { float64 as double, float32 as float, int32 as int, int64 as long, int16 as short } from "./tensor/dtype.ts";
export { bool, DType as dtype, float32, float64, get_default_dtype, int16, int32, int64, int8, promote_types, set_default_dtype, uint8 } from "./tensor/dtype.ts";
export { set_printoptions } from "./tensor/format.ts";
export { AssertionError, IndexError, NotImplementedError, RuntimeError, setWarningHandler, ValueError } from "./errors.ts";
export { enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled } from "./autograd/grad-mode.ts";
export { explain } from "./autograd/explain.ts";
export { is_anomaly_check_nan_enabled, is_anomaly_enabled } from "./autograd/anomaly.ts";
export * as autograd from "./torch-autograd.ts";
export * as cuda from "./torch-cuda.ts";
export * as memory from "./torch-memory.ts";
export * as linalg from "./ops/linalg/linalg-functions.ts";
export * as special from "./ops/special.ts";
export * as nn from "./nn/index.ts";
