/** Every op that PyTorch has as a method of Tensor but not as a function. One line for each file of ops. */
export * from "./creation/creation-methods.ts";
export * from "./indexing/indexing-methods.ts";
export * from "./random/random-methods.ts";
export * from "./shape/resizing.ts";
export * from "./shape/shape-methods.ts";
export * from "./tensor-methods.ts";
