/** All pitfalls, by family. */
import { magnitude } from "./magnitude.ts";
import type { Pitfall } from "./pitfall.ts";
import { secondDerivatives } from "./second-derivatives.ts";
import { values } from "./values.ts";

export const families: Readonly<Record<string, readonly Pitfall[]>> = { magnitude, values, "second-derivatives": secondDerivatives };
