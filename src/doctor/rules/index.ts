/** Every rule, one line for each. */
import { backwardOfNonScalar } from "./backward-of-non-scalar.ts";
import { backwardTwice } from "./backward-twice.ts";
import { divisionByZero } from "./division-by-zero.ts";
import { expOverflow } from "./exp-overflow.ts";
import { gradOfNonLeaf } from "./grad-of-non-leaf.ts";
import { gradientsNeverZeroed } from "./gradients-never-zeroed.ts";
import { graphCut } from "./graph-cut.ts";
import { infiniteSlope } from "./infinite-slope.ts";
import { integerRequiresGrad } from "./integer-requires-grad.ts";
import { leafModifiedInPlace } from "./leaf-modified-in-place.ts";
import { logOfZero } from "./log-of-zero.ts";
import { lossBroadcast } from "./loss-broadcast.ts";
import { nanFromZeroTimesInf } from "./nan-from-zero-times-inf.ts";
import { nonfiniteValue } from "./nonfinite-value.ts";
import { rootOfNegative } from "./root-of-negative.ts";
import type { Rule } from "./rule.ts";
import { savedTensorOverwritten } from "./saved-tensor-overwritten.ts";
import { uncountedWrite } from "./uncounted-write.ts";
import { unusedInput } from "./unused-input.ts";

export const rules: readonly Rule[] = [
  backwardOfNonScalar, backwardTwice, divisionByZero, expOverflow, gradOfNonLeaf, gradientsNeverZeroed, graphCut, infiniteSlope, integerRequiresGrad,
  leafModifiedInPlace, logOfZero, lossBroadcast, nanFromZeroTimesInf, nonfiniteValue, rootOfNegative, savedTensorOverwritten, uncountedWrite, unusedInput,
];
