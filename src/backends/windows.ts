/** Where the windows of a pooling lie: over three spatial dimensions, those that a picture lacks having size 1. */

/** The windows along one dimension: window o holds the positions from `starts[o]` up to, not including, `ends[o]`, `step` apart. */
export interface Windows {
  readonly size: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly step: number;
  /** How many positions window o counts for in an average. */
  readonly counts: Int32Array;
}

/** Windows over depth, height and width. */
export type Volume = readonly [depth: Windows, height: Windows, width: Windows];

export const volumeSize = ([d, h, w]: Volume): number => d.size * h.size * w.size;
export const windowCount = ([d, h, w]: Volume): number => d.starts.length * h.starts.length * w.starts.length;
