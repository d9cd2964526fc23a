/** Every op that PyTorch has as a method of Tensor but not as a function. One line for each file of ops. */
export * from "./creation-methods.ts";
export * from "./indexing-methods.ts";
export * from "./random-methods.ts";
export * from "./resizing.ts";
export * from "./shape-methods.ts";
export * from "./tensor-methods.ts";
