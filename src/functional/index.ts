/** torch.autograd.functional: derivatives of functions. */
export { hessian, jacobian } from "./jacobian.ts";
export { hvp, jvp, vhp, vjp } from "./products.ts";
