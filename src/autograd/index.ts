/** torch.autograd */
export { backward, grad } from "./backward.ts";
export { detect_anomaly, set_detect_anomaly } from "./anomaly.ts";
