/** The namespace torch.linalg. */
export { linalgCross as cross, vecdot } from "./vector-product.ts";
export { vector_norm } from "../reductions/vector-norm.ts";
export { LinAlgError } from "../../errors.ts";
export { cholesky, cholesky_ex } from "./cholesky.ts";
export { linalgDet as det, linalgSlogdet as slogdet } from "./determinant.ts";
export { eigh, eigvalsh } from "./eigen.ts";
export { cond, diagonal, matmul, svdvals, vander } from "./linalg-forms.ts";
export { linalgMatrixExp as matrix_exp } from "./matrix-exp.ts";
export { multi_dot } from "./multi-dot.ts";
export { linalgMatrixPower as matrix_power } from "./matrix-power.ts";
export { matrix_norm, norm } from "../reductions/matrix-norm.ts";
export { lu, lu_factor } from "./lu.ts";
export { qr } from "./qr.ts";
export { lstsq } from "./least-squares.ts";
export { matrix_rank } from "./matrix-rank.ts";
export { linalgSvd as svd, pinv } from "./svd.ts";
export { inv, inv_ex, solve, solve_ex, solve_triangular } from "./solving.ts";
