import { RuntimeError } from "../errors.ts";

/** The devices that PyTorch knows by name. */
const known = "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, meta, hpu, mtia, privateuseone";

/** Refuses any device but the CPU, the only one there is. */
export function checkDevice(device: unknown): void {
  if (device === null || device === undefined || device === "cpu" || device === "cpu:0") return;
  const text = String(device);
  const kind = text.split(":")[0];
  if (!known.split(", ").includes(kind)) throw new RuntimeError(`Expected one of ${known} device type at start of device string: ${kind}`);
  throw new RuntimeError(`leafgrad computes on the CPU: it has no device '${text}'`);
}
