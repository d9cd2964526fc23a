/** All pitfalls, by family. */
import { magnitude } from "./magnitude.ts";
import type { Pitfall } from "./pitfall.ts";
import { inPlace } from "./in-place.ts";
import { lifetime } from "./lifetime.ts";
import { losses } from "./losses.ts";
import { noGradient } from "./no-gradient.ts";
import { ported } from "./ported.ts";
import { secondDerivatives } from "./second-derivatives.ts";
import { training } from "./training.ts";
import { values } from "./values.ts";

export const families: Readonly<Record<string, readonly Pitfall[]>> = { magnitude, values, "second-derivatives": secondDerivatives, "in-place": inPlace, "no-gradient": noGradient, lifetime, training, ported, losses };
