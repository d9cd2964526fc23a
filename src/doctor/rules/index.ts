/** Every rule, one line for each. */
import { angleAtOrigin } from "./angle-at-origin.ts";
import { averageOverNothing } from "./average-over-nothing.ts";
import { backwardOfNonScalar } from "./backward-of-non-scalar.ts";
import { backwardTwice } from "./backward-twice.ts";
import { dataNotFinite } from "./data-not-finite.ts";
import { divergingUpdates } from "./diverging-updates.ts";
import { divisionByZero } from "./division-by-zero.ts";
import { dtypeRefused } from "./dtype-refused.ts";
import { expOverflow } from "./exp-overflow.ts";
import { expandedWrite } from "./expanded-write.ts";
import { explodingGradient } from "./exploding-gradient.ts";
import { flatFunction } from "./flat-function.ts";
import { floatOverflow } from "./float-overflow.ts";
import { gradOfNonLeaf } from "./grad-of-non-leaf.ts";
import { gradOfOriginal } from "./grad-of-original.ts";
import { gradientNotThere } from "./gradient-not-there.ts";
import { gradientZeroedEarly } from "./gradient-zeroed-early.ts";
import { gradientsNeverZeroed } from "./gradients-never-zeroed.ts";
import { graphCut } from "./graph-cut.ts";
import { graphGrows } from "./graph-grows.ts";
import { hookChangesGradient } from "./hook-changes-gradient.ts";
import { inferenceTensor } from "./inference-tensor.ts";
import { infiniteSlope } from "./infinite-slope.ts";
import { integerRequiresGrad } from "./integer-requires-grad.ts";
import { leafMadeAnew } from "./leaf-made-anew.ts";
import { leafModifiedInPlace } from "./leaf-modified-in-place.ts";
import { leafNotUpdated } from "./leaf-not-updated.ts";
import { logOfZero } from "./log-of-zero.ts";
import { lossBroadcast } from "./loss-broadcast.ts";
import { nanFromZeroTimesInf } from "./nan-from-zero-times-inf.ts";
import { nonfiniteValue } from "./nonfinite-value.ts";
import { nothingRequiresGrad } from "./nothing-requires-grad.ts";
import { outsideDomain } from "./outside-domain.ts";
import { parameterReplaced } from "./parameter-replaced.ts";
import { reluDies } from "./relu-dies.ts";
import { rootOfNegative } from "./root-of-negative.ts";
import { savedTensorOverwritten } from "./saved-tensor-overwritten.ts";
import { softmaxOfNothing } from "./softmax-of-nothing.ts";
import { spreadOfOneValue } from "./spread-of-one-value.ts";
import { stateCarried } from "./state-carried.ts";
import { uncountedWrite } from "./uncounted-write.ts";
import { unusedInput } from "./unused-input.ts";
import { vanishingGradient } from "./vanishing-gradient.ts";
import { viewNotWritable } from "./view-not-writable.ts";
import type { Rule } from "./rule.ts";

export const rules: readonly Rule[] = [
  angleAtOrigin, averageOverNothing, backwardOfNonScalar, backwardTwice, dataNotFinite, divergingUpdates, divisionByZero, dtypeRefused, expOverflow,
  expandedWrite, explodingGradient, flatFunction, floatOverflow, gradOfNonLeaf, gradOfOriginal, gradientNotThere, gradientZeroedEarly,
  gradientsNeverZeroed, graphCut, graphGrows, hookChangesGradient, inferenceTensor, infiniteSlope, integerRequiresGrad, leafMadeAnew, leafModifiedInPlace,
  leafNotUpdated, logOfZero, lossBroadcast, nanFromZeroTimesInf, nonfiniteValue, nothingRequiresGrad, outsideDomain, parameterReplaced,
  reluDies, rootOfNegative, savedTensorOverwritten, softmaxOfNothing, spreadOfOneValue, stateCarried, uncountedWrite, unusedInput,
  vanishingGradient, viewNotWritable,
];
