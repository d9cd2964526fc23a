import { culpritAt, lineOf } from "./describe.ts";
import type { ReadEvent } from "../trace/events.ts";
import { placeAt, positionOf } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import { moved, statementIn, statementOf, type Statement } from "./statements.ts";
import type { Found, Rule } from "./rule.ts";

/** The reading of a leaf's `.grad` that gave null, at the line where the program then ended. */
export function fatalReading(trace: Trace): ReadEvent | null {
  const { error } = trace;
  if (error === null || !/null/.test(error.error.message)) return null;
  const last = trace.reads.findLast(({ how }) => how === "grad");
  const isThere = last?.result === null && last.place?.file === error.place?.file && last.place?.line === error.place?.line;
  return isThere && trace.tensors.get(last.tensor)!.leaf && last.requires_grad ? last : null;
}

/** Where the program resets the gradient: the last `w.grad = null` above a line. */
function resetAbove(trace: Trace, { place, tensor }: ReadEvent): Statement | null {
  const source = trace.sources.get(place!.file)!;
  const above = source.slice(0, positionOf(source, place!.line, 1));
  const resets = [...above.matchAll(new RegExp(`\\b${escaped(trace.variableOf(tensor) ?? "")}\\.grad\\s*=\\s*null`, "g"))];
  return resets.length === 0 ? null : statementIn(trace, place!.file, resets[resets.length - 1].index);
}

/** The first call of backward below a line, which never ran. */
function backwardBelow(trace: Trace, { place }: ReadEvent): Statement | null {
  const lines = trace.sources.get(place!.file)!.split("\n");
  const start = lines.slice(0, place!.line).join("\n").length;
  const at = lines.slice(place!.line).join("\n").search(/\.backward\(/);
  return at < 0 ? null : statementIn(trace, place!.file, start + 1 + at);
}

const escaped = (name: string): string => name.replace(/[.$[\]()]/g, "\\$&");

/** The order of a step is wrong: the gradient is not there yet, or it was reset. */
function foundAt(trace: Trace, read: ReadEvent): Found {
  const name = trace.nameOf(read.tensor);
  const filled = trace.accumulations.findLast(({ tensor }) => tensor === read.tensor);
  const statement = statementOf(trace, read.place);
  const common = { message: `${name}.grad is null where the update reads it`, tensor: name };
  if (filled === undefined) {
    const backward = backwardBelow(trace, read);
    const line = backward === null ? null : placeAt(trace.sources.get(backward.file)!, backward.span.start).line;
    return {
      ...common, culprit: culpritAt(trace, read.place),
      why: `no backward has come to ${name} yet: ${line === null ? "the program calls none before this line" : `line ${line}, ${backward!.text.replace(/;$/, "")}, comes after this line`}`,
      fix: { text: `call backward first, then update${line === null ? "" : `: move ${lineOf(read.place)} behind line ${line}`}`, edits: moved(trace, statement, backward) },
    };
  }
  const reset = resetAbove(trace, read);
  const at = reset === null ? null : { file: reset.file, ...placeAt(trace.sources.get(reset.file)!, reset.span.start) };
  return {
    ...common, culprit: at === null ? culpritAt(trace, read.place) : { ...at, op: reset!.text.replace(/;$/, "") },
    why: `${lineOf(trace.backwards.get(filled.backward)!.place, read.place?.file)} filled it, and ${at === null ? "it was reset" : `line ${at.line} reset it`} before ${lineOf(read.place)} read it`,
    fix: { text: `reset the gradient after the update${at === null ? "" : `: move line ${at.line} behind ${lineOf(read.place)}`}`, edits: moved(trace, reset, statement) },
  };
}

export const gradientNotThere: Rule = {
  id: "gradient-not-there",
  title: "An update without a gradient",
  severity: "error",
  certainty: 0.95,
  changesLoss: true,
  why: `.grad is null until backward has come to the leaf, and again after it was set to null. An update that comes before backward, or after
the reset, has nothing to subtract.`,
  fix: `The order of a step is: backward, update, reset.`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = w.pow(2).sum();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  w.grad = null;
  loss.backward();
}
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = w.pow(2).sum();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  w.grad = null;
}
`,
  detect(trace) {
    const read = fatalReading(trace);
    return read === null ? [] : [foundAt(trace, read)];
  },
};
