const COMPLEX = "complex dtypes are not delivered";
const NN = "nn modules and optimizers are not delivered yet";
const NUMPY = "NumPy has no counterpart in JavaScript";
const DEEPCOPY = "Python's copy protocol has no counterpart in JavaScript";
const LINALG = "factorizations and inverses are not delivered";

/** Probes that no program stands for, each with its reason. */
export const leftOut: Record<string, string> = {
  A03g: NN,
  A13: DEEPCOPY,
  A13b: DEEPCOPY,
  A16: NUMPY,
  A16b: NUMPY,
  A16c: "float(x) and int(x) have no counterpart in JavaScript; x.item() does not warn in PyTorch either",
  A19: COMPLEX,
  A20b: "sparse layouts are not delivered",
  C01k: "half and complex dtypes are not delivered",
  C09: NUMPY,
  D02d: COMPLEX,
  D03d: COMPLEX,
  D18: "asks only whether torch.ops.aten exists",
  E09: COMPLEX,
  F07: "Python decorators on classes have no counterpart in JavaScript",
  G01i: "an empty probe",
  H04h: "pybind11's own text, made of Python's type names",
  H05: NN,
  J02b: "nobody counts references in JavaScript: a program may hold what its backward returned, so it is copied",
  J05: NN,
  J05b: NN,
  J11: NN,
  K04: "Python's dir() of a node has no counterpart in JavaScript",
  K05: "a node is not callable in JavaScript",
  P14: "JavaScript has no len(); x.shape and x.numel() say it",
  P23: "operators are methods here, and PyTorch's methods raise another text",
  P26: LINALG,
  P27: LINALG,
  P29: NN,
  P30: NN,
  P31: NN,
  P32: NN,
  P33: NN,
  P34: NN,
  P35: NN,
};
