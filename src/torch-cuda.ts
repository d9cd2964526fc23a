/** The torch.cuda namespace, for programs that ask whether there is a GPU: to leafgrad there is none. */

/**
 * Is there a GPU to compute on? There is not.
 *
 * @example const device = torch.device(torch.cuda.is_available() ? "cuda" : "cpu");
 */
export function is_available(): boolean {
  return false;
}
/** How many GPUs there are: 0. */
export function device_count(): number {
  return 0;
}
/** Seeds the GPUs' generators, of which there are none. */
export function manual_seed(_seed: number | bigint): void {}
/** Seeds the GPUs' generators, of which there are none. */
export function manual_seed_all(_seed: number | bigint): void {}
