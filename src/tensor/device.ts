import { AssertionError, RuntimeError } from "../errors.ts";

/** The kinds of device that PyTorch knows by name. */
const known = "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, meta, hpu, mtia, privateuseone";

/** Where a tensor's elements lie: `torch.device("cpu")`. Tensors of leafgrad lie on the CPU; others can be named. */
export class Device {
  readonly type: string;
  /** Which one of several of its kind; null where that was not said. */
  readonly index: number | null;

  constructor(type: string, index: number | null) {
    this.type = type;
    this.index = index;
    Object.freeze(this);
  }
  toString(): string {
    return this.index === null ? this.type : `${this.type}:${this.index}`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `device(type='${this.type}'${this.index === null ? "" : `, index=${this.index}`})`;
  }
}

/** How the elements of every tensor lie: by strides. */
export const strided = "torch.strided";

/** Where every tensor lies. */
export const cpu = new Device("cpu", null);

/** The device that a string names. */
function parseDevice(text: string): Device {
  if (text === "cpu") return cpu;
  if (text === "") throw new RuntimeError("Device string must not be empty");
  const [kind, index] = text.split(/:(.*)/s);
  if (!/^[a-z_]+$/.test(kind) || (index !== undefined && !/^(0|[1-9]\d*)$/.test(index))) throw new RuntimeError(`Invalid device string: '${text}'`);
  if (!known.split(", ").includes(kind)) throw new RuntimeError(`Expected one of ${known} device type at start of device string: ${kind}`);
  return new Device(kind, index === undefined ? null : Number(index));
}

/** A device by name, as `torch.device("cpu")`; `index` picks one of several of its kind. */
export function device(type: string | Device, index: number | null = null): Device {
  if (type instanceof Device) return type;
  const named = parseDevice(type);
  if (index === null) return named;
  if (named.index !== null) throw new RuntimeError(`type (string) must not include an index because index was passed explicitly: ${type}`);
  return new Device(named.type, index);
}
// eslint-disable-next-line @typescript-eslint/no-redeclare -- as in PyTorch, the name is the type's too
export type device = Device;

/** Refuses any device but the CPU, the only one there is. */
export function checkDevice(device: unknown): void {
  if (device === null || device === undefined || device === "cpu" || device === cpu) return;
  const { type } = device instanceof Device ? device : parseDevice(String(device));
  if (type === "cpu") return;
  if (type === "cuda") throw new AssertionError("Torch not compiled with CUDA enabled");
  throw new RuntimeError(`leafgrad computes on the CPU: it has no device '${String(device)}'`);
}
