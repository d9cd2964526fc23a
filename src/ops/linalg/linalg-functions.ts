/** The namespace torch.linalg. */
export { linalgCross as cross, vecdot } from "./vector-product.ts";
export { vector_norm } from "../reductions/vector-norm.ts";
