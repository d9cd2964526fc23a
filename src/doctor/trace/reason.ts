/** Why a program is run again with recording. */
export type Reason =
  | "an error" | "a value that is not finite" | "a gradient that is not finite" | "a gradient that is null" | "a leaf without a gradient"
  | "a gradient that is extreme" | "a loss that grows" | "a gradient that was not reset" | "a gradient that is zero" | "a gradient that has become zero"
  | "an update by a gradient of zeros" | "a leaf that no update changes" | "leaves of one backward each" | "a graph that grows" | "graphs that are kept" | "a gradient that nobody reads" | "shapes that broadcast"
  | "a write that no version counts" | "a gradient that goes nowhere";
