/** Proves a repair: makes it, runs the program again, and looks whether all is well. */
import { examine } from "../examine.ts";
import { lineOf, unravel } from "../rules/describe.ts";
import { rules } from "../rules/index.ts";
import type { Edit, Finding, Proof } from "../rules/rule.ts";
import type { DifferenceEvent, Num, Values } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { edited, editsBetween } from "./edits.ts";

/** Runs the program with these sources in place of its own, recording and checking gradients; null where it cannot be run. */
export type Rerun = (sources: ReadonlyMap<string, string>) => Promise<Trace | null>;

/** So many more repairs are made where the first uncovers a further fault. */
const further = 3;

/** A finding with its proof, where its repair is mechanical: the first of its repairs that can be proved, else the first. */
export async function proved(finding: Finding, trace: Trace, rerun: Rerun): Promise<Finding> {
  const { others = [], ...fix } = finding.fix;
  const fixes = [fix, ...others].filter(({ edits }) => edits.length > 0);
  let first: Finding = { ...finding, fix };
  for (const each of fixes) {
    const tried = await tryFix({ ...finding, fix: each }, trace, rerun);
    if (tried.proof?.verified === true) return tried;
    if (each === fixes[0]) first = tried;
  }
  return first;
}

/** One repair, made and run. Where a further fault lies behind the first, its repair is made too. */
async function tryFix(finding: Finding, trace: Trace, rerun: Rerun): Promise<Finding> {
  let [original, sources]: ReadonlyMap<string, string>[] = [trace.sources, edited(trace.sources, finding.fix.edits)];
  const first = await rerun(sources);
  if (first === null) return { ...finding, proof: failed("the program with the fix could not be run") };
  const texts = [finding.fix.text];
  const before = examined(trace);
  let firstProof: Proof | null = null;
  for (let after: Trace | null = first; after !== null && texts.length <= further + 1; ) {
    const repaired = examined(after);
    const proof = judged(finding, before, repaired);
    firstProof ??= proof;
    if (proof.verified) return { ...finding, fix: { text: texts.join("; then "), edits: texts.length === 1 ? finding.fix.edits : changes(original, sources) }, proof };
    const next = repaired.findings.find(({ severity, fix }) => severity === "error" && fix.edits.length > 0);
    if (next === undefined) break;
    // The first run may not have come to every file.
    [original, sources] = [original, sources].map((known) => new Map([...after!.sources, ...known]));
    sources = edited(sources, next.fix.edits);
    texts.push(`${lineOf(next.culprit, finding.culprit?.file)}, ${next.fix.text}`);
    after = await rerun(sources);
  }
  return { ...finding, proof: firstProof };
}

/** The edits that make a program of what it was. */
function changes(original: ReadonlyMap<string, string>, sources: ReadonlyMap<string, string>): Edit[] {
  return [...sources].flatMap(([file, text]) => editsBetween(file, original.get(file)!, text));
}

const failed = (text: string): Proof => ({ verified: false, before: {}, after: {}, text });

/** A trace with what the rules find in it. */
interface Examined {
  readonly trace: Trace;
  readonly findings: readonly Finding[];
}
const examined = (trace: Trace): Examined => ({ trace, findings: examine(trace) });

function judged(finding: Finding, before: Examined, after: Examined): Proof {
  const [was, is] = [summary(before.trace), summary(after.trace)];
  const objection = objectionTo(finding, before, after);
  const text = objection === null ? `re-ran with the fix: ${[lossText(was, is), gradText(is), differencesText(after.trace)].filter((part) => part !== "").join("; ")}` : `not proved: ${objection}`;
  return { verified: objection === null, before: was, after: is, text };
}

/** What a repair of one may turn into. */
const magnitudes = new Set(["exploding-gradient", "vanishing-gradient"]);

/** Why the repaired program does not prove the repair; null where it does. */
function objectionTo(finding: Finding, { trace: before, findings: known }: Examined, { trace: after, findings }: Examined): string | null {
  if (after.error !== null) return `with the fix the program ends in ${after.error.error.type}: ${after.error.error.message}`;
  const left = findings.find((f) => f.rule === finding.rule && f.culprit?.line === finding.culprit?.line && f.culprit?.file === finding.culprit?.file);
  if (left !== undefined) return `with the fix ${left.message} is still there`;
  const fresh = findings.find(({ rule, severity }) => (severity === "error" || (magnitudes.has(rule) && magnitudes.has(finding.rule))) && !known.some((f) => f.rule === rule));
  if (fresh !== undefined) return `with the fix ${fresh.message} (${fresh.rule})`;
  const sick = after.accumulations.some(({ tensor, values }) => finding.victim?.name === `${after.nameOf(tensor)}.grad` && stillSick(finding, values, after.tensors.get(tensor)!.shape));
  if (sick) return `with the fix ${finding.victim!.name} is still not finite`;
  const [was, is] = [firstLoss(before), firstLoss(after)];
  const mayChange = rules.find(({ id }) => id === finding.rule)?.changesLoss === true;
  if (!mayChange && typeof was === "number" && (typeof is !== "number" || !close(was, is))) return `the fix changes the loss from ${fixed(was)} to ${is === null ? "nothing" : fixed(is)}`;
  if (typeof is === "string") return `with the fix the loss is still ${is}`;
  const sickBefore = sickLeaves(before);
  const ill = sickLeaves(after).find((leaf) => !sickBefore.includes(leaf));
  if (ill !== undefined) return `with the fix ${ill}.grad is not finite`;
  const wrong = after.differences.find((difference) => !agrees(difference));
  if (wrong !== undefined) return `a gradient of ${after.nameOf(wrong.tensor)} is ${fixed(wrong.analytic)}, and the central difference ${fixed(wrong.numeric!)}`;
  return null;
}

/** Other elements may be sick of something else. */
function stillSick({ elements }: Finding, { nonfinite }: Values, shape: readonly number[]): boolean {
  const places = new Set(elements.map(String));
  return nonfinite.some((position) => places.has(String(unravel(position, shape))));
}

/** The leaves that were given a gradient which is not finite. */
const sickLeaves = (trace: Trace): string[] => trace.accumulations.filter(({ values }) => values.nonfinite.length > 0).map(({ tensor }) => trace.nameOf(tensor));

/** The value of the first scalar that backward started from. */
function firstLoss(trace: Trace): Num | null {
  for (const { backward, roots } of trace.backwards.values()) {
    const values = roots[0] === undefined ? undefined : trace.tensors.get(roots[0])?.values;
    // A backward that was refused started from nothing.
    if (values?.numel === 1 && trace.ends.get(backward)?.error === null) return values.head[0];
  }
  return null;
}

const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 + 1e-4 * Math.abs(a);

function agrees({ analytic, numeric }: DifferenceEvent): boolean {
  if (numeric === null) return true;
  if (typeof analytic !== "number" || typeof numeric !== "number") return analytic === numeric;
  return Math.abs(analytic - numeric) <= 1e-4 + 1e-2 * Math.abs(numeric);
}

/** The first loss, and the gradients that leaves ended with. */
function summary(trace: Trace): Record<string, string> {
  const loss = firstLoss(trace);
  const grads = new Map<string, string>();
  for (const { tensor, values } of trace.accumulations) grads.set(`${trace.nameOf(tensor)}.grad`, `[${values.head.slice(0, 8).map(fixed).join(", ")}${values.numel > 8 ? ", …" : ""}]`);
  return { ...(loss === null ? {} : { loss: fixed(loss) }), ...Object.fromEntries([...grads].slice(0, 4)) };
}

const fixed = (n: Num): string => (typeof n === "number" ? (n !== 0 && (Math.abs(n) < 1e-3 || Math.abs(n) >= 1e6) ? n.toExponential(2).replace("e+", "e") : n.toFixed(4)) : n);

function lossText(was: Record<string, string>, is: Record<string, string>): string {
  if (is.loss === undefined) return "";
  return was.loss === is.loss ? `loss ${was.loss} = ${is.loss}` : was.loss === undefined ? `loss ${is.loss}` : `loss ${is.loss} instead of ${was.loss}`;
}

function gradText({ loss: _loss, ...grads }: Record<string, string>): string {
  return Object.entries(grads).slice(0, 2).map(([name, text]) => `${name} = ${text}`).join(", ");
}

function differencesText({ differences }: Trace): string {
  const compared = differences.filter(({ numeric }) => numeric !== null).length;
  if (compared === 0) return "gradients not compared with central differences";
  const kinks = differences.length - compared;
  return `central differences agree${kinks === 0 ? "" : ` (${kinks} of ${differences.length} elements lie at a kink)`}`;
}
