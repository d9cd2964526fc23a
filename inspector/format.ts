/** Numbers and shapes as a person writes them. */
import type { Num } from "../src/doctor/trace/events.ts";

const words: Record<string, string> = { nan: "NaN", inf: "∞", "-inf": "−∞" };

export function number(n: Num): string {
  if (typeof n === "string") return words[n];
  if (n === 0) return "0";
  const size = Math.abs(n);
  const text = size >= 1e5 || size < 1e-3 ? n.toExponential(2).replace("e+", "e") : String(Number(n.toPrecision(4)));
  return text.replaceAll("-", "−");
}

export const isFinite = (n: Num): boolean => typeof n === "number";

export const shape = (sizes: readonly number[]): string => (sizes.length === 0 ? "scalar" : sizes.join(" × "));

export const count = (n: number): string => n.toLocaleString("en").replaceAll(",", " ");

export function plural(n: number, word: string): string {
  return `${count(n)} ${word}${n === 1 ? "" : "s"}`;
}
