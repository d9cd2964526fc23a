/** The namespace torch.autograd: the engine's functions, and the checks that are made of ops. */
export * from "./autograd/index.ts";
export * as functional from "./functional/index.ts";
export { gradcheck, GradcheckError, gradgradcheck } from "./testing/gradcheck.ts";
