/**
 * The tests of values and gradients once more, while every allocation evicts every tensor, and memory that is given back
 * is overwritten with NaNs: an address or a view that outlives an allocation, or a use after a release, shows as a difference.
 */
import { stress } from "../../src/tensor/blocks.ts";

stress.on = true;
await import("../oracle/opinfo.test.ts");
await import("../oracle/pointwise.test.ts");
await import("../oracle/semantics/semantics.test.ts");
await import("../autograd/engine.test.ts");
await import("../autograd/accumulation.test.ts");
await import("../autograd/higher-order.test.ts");
await import("../autograd/hooks.test.ts");
await import("../property/fuzz.test.ts");
