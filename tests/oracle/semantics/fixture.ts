import { readFileSync } from "node:fs";

/** One probe of `fixtures/semantics.md`: Python code and what PyTorch 2.13 answers to it. */
export interface Probe {
  id: string;
  title: string;
  code: string;
  /** `-> value` or `ErrorType: text`, then a `WARN Category: text` for each warning. */
  outcome: string;
}

const source = readFileSync(new URL("../fixtures/semantics.md", import.meta.url), "utf8");

const block = "```\\n([\\s\\S]*?)\\n```\\n";
const entry = new RegExp(`^### (\\S+) (.*)\\n\`\`\`python\\n([\\s\\S]*?)\\n\`\`\`\\n(?:= \\n${block}|1\\.13\\n${block}2\\.13\\n${block})`, "gm");

/** All probes in the order of the file; an id that the file uses twice gets `(2)` the second time. */
export function readProbes(): Probe[] {
  const seen = new Set<string>();
  const probes = Array.from(source.matchAll(entry), ([, name, title, code, same, , latest]) => {
    const id = seen.has(name!) ? `${name}(2)` : name!;
    seen.add(id);
    return { id, title: title!.trim(), code: code!, outcome: expectedHere(id, latest ?? same!) };
  });
  // PyTorch gave this warning once in the exporter's process, to D09; a warning handler of leafgrad gets it each time.
  const warned = probes.find(({ id }) => id === "D09")!.outcome.split("\n")[1]!;
  for (const probe of probes) if (probe.id === "J03") probe.outcome += `\n${warned}`;
  return probes;
}

/** What a JavaScript program can be held to: the text, less what only Python's process can say. */
function expectedHere(id: string, outcome: string): string {
  let text = maskAddresses(cutTracebacks(outcome));
  // Reading what is not there, or writing what is read-only, is a TypeError in JavaScript.
  text = text.replace(/^AttributeError:/, "TypeError:");
  // The exporter cut this value after 2,500 characters; the port ends at the same op.
  if (id === "K01") text = text.replace(/'MaximumBa$/, "'MaximumBackward0'}");
  return text;
}

/** Object addresses differ in each run. */
export function maskAddresses(text: string): string {
  return text.replace(/0x[0-9a-f]+/g, "0x…");
}

/** Drops Python's traceback lines, each indented under the line that announces them. */
function cutTracebacks(text: string): string {
  return text.replace(/(Traceback of forward call [^\n]*:)\n(?: {2}[^\n]*\n?)*/g, "$1\n").trimEnd();
}
