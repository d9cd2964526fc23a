/** All pitfalls, by family. */
import type { Pitfall } from "./pitfall.ts";
import { secondDerivatives } from "./second-derivatives.ts";
import { values } from "./values.ts";

export const families: Readonly<Record<string, readonly Pitfall[]>> = { values, "second-derivatives": secondDerivatives };
