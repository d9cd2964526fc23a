/** The rows of the bench. Every library has its cases under these names. */
export interface Row {
  readonly name: string;
  readonly group: string;
  /** Floating-point operations of one call, where a rate says more than a time. */
  readonly flops?: number;
  /** The peak memory of a loop over this row is measured too. */
  readonly memory?: boolean;
}

const sizes = [10, 16, 20, 24];
const matmuls = [64, 256, 257, 512, 999, 1024];

const small = ["add", "add, with grad", "mul", "mul, with grad", "exp", "sum", "sum, with grad", "notes' loss, forward", "notes' loss, forward + backward", "improved loss, forward + backward"];
const pointwise = ["add", "mul", "exp", "tanh", "gelu", "pow", "sum", "mean"].flatMap((op) => sizes.map((power) => `${op} 2^${power}`));
const layouts = ["add row, 1024×1024", "add column, 1024×1024", "add transposed, 1024×1024", "sum of rows, 1024×1024", "sum of columns, 1024×1024"];

export const rows: readonly Row[] = [
  ...small.map((name): Row => ({ name, group: "2 to 5 elements" })),
  ...pointwise.map((name): Row => ({ name, group: "elements" })),
  ...layouts.map((name): Row => ({ name, group: "layouts" })),
  ...["softmax", "layer_norm"].map((name): Row => ({ name: `${name} 1024×1024`, group: "rows" })),
  ...matmuls.map((n): Row => ({ name: `matmul ${n}`, group: "products", flops: 2 * n ** 3 })),
  { name: "matmul 64 of 64×64", group: "products", flops: 64 * 2 * 64 ** 3 },
  { name: "conv 3×3, forward", group: "products", flops: 2 * 32 * 28 * 28 * 32 * 16 * 9 },
  { name: "conv 3×3, forward + backward", group: "products", flops: 6 * 32 * 28 * 28 * 32 * 16 * 9 },
  { name: "linear layers of the MLP", group: "products", flops: 2 * 64 * 128 * (2 * 784 + 3 * 10) },
  { name: "linear layers of the transformer", group: "products", flops: 2 * 512 * 128 * (2 * 384 + 3 * 128 + 6 * 512) },
  ...["sort 2^20", "topk 2^20"].map((name): Row => ({ name, group: "order" })),
  ...["MLP step", "CNN step", "transformer step"].map((name): Row => ({ name, group: "training", memory: true })),
];
