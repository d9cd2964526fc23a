/** The op table as data: every op that the modules of src/ops export, by name. */
import { readdirSync } from "node:fs";
import type { AnyOp, Overload } from "../../src/dispatch/op.ts";

const folder = new URL("../../src/ops/", import.meta.url);
const files = readdirSync(folder, { recursive: true }).map(String).filter((name) => name.endsWith(".ts"));
const modules: Record<string, unknown>[] = await Promise.all(files.map((name) => import(new URL(name, folder).href) as Promise<Record<string, unknown>>));

function isOp(value: unknown): value is AnyOp {
  return typeof value === "function" && "overloads" in value;
}

/** Ops by name; the same op may stand in several modules. */
export const table: ReadonlyMap<string, AnyOp> = new Map(
  modules.flatMap((module) => Object.values(module).filter(isOp).map((op) => [op.opName, op] as const)),
);

/** Has this overload gradients of its own? Composites have none. */
export function isDifferentiable(overload: Overload): boolean {
  const { differentiable, rules } = overload as { differentiable?: readonly unknown[]; rules?: readonly unknown[] };
  return (differentiable ?? rules ?? []).length > 0;
}

/** PyTorch's second names share the overloads of the first; one of them is enough. */
const distinct = new Map([...table.values()].map((op) => [op.overloads, op]));

export const differentiableOps: readonly string[] = [...distinct.values()].filter((op) => op.overloads.some(isDifferentiable)).map((op) => op.opName).sort();
