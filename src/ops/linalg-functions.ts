/** The namespace torch.linalg. */
export { vector_norm } from "./vector-norm.ts";
