/**
 * Replays the fuzzer's recorded programs: what PyTorch did after every statement must be what leafgrad does. Programs of
 * the committed fixtures that are known to differ are listed in `fixtures/fuzz-known.json` with the reason; one that agrees
 * must leave the list.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as torch from "leafgrad";
import { type Disagreement, explain, replay, signature } from "./fuzz/compare.ts";
import { minimize } from "./fuzz/minimize.ts";
import { readPrograms } from "./fuzz/program.ts";

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const { FUZZ_FIXTURE, FUZZ_SHOW = "10", FUZZ_MINIMIZE = "0", FUZZ_SAVE } = process.env;
const fixtures = FUZZ_FIXTURE === undefined ? [fixture("fuzz-seed-1.jsonl.gz"), fixture("fuzz-found.jsonl")] : [FUZZ_FIXTURE];

const known = JSON.parse(readFileSync(fixture("fuzz-known.json"), "utf8")) as Record<string, string>;

interface Kind {
  name: string;
  count: number;
  example: Disagreement;
}

test.each(fixtures)("%s", { timeout: 3_600_000 }, async (path) => {
  const kinds = new Map<string, Kind>();
  const ids: string[] = [];
  let programs = 0;
  const previous = torch.setWarningHandler(() => {});
  for await (const program of readPrograms(path)) {
    programs++;
    const found = replay(program);
    if (program.id in known && FUZZ_FIXTURE === undefined) expect(found, `${program.id} is known to differ, and agrees`).not.toBeNull();
    else if (found !== null) {
      count(kinds, found);
      ids.push(program.id);
    }
  }
  const report = [...kinds.values()].sort((a, b) => b.count - a.count);
  const disagreements = report.reduce((sum, kind) => sum + kind.count, 0);
  if (disagreements > 0) console.log(describe(report));
  torch.setWarningHandler(previous);
  console.log(`${programs} programs, ${disagreements} disagreements of ${kinds.size} kinds${ids.length > 0 ? `: ${ids.join(" ")}` : ""}`);
  expect(disagreements).toBe(0);
});

/** Of a kind's disagreements the one that comes first in its program is the best example. */
function count(kinds: Map<string, Kind>, found: Disagreement): void {
  const name = signature(found);
  const kind = kinds.get(name) ?? { name, count: 0, example: found };
  kind.count++;
  if (found.at < kind.example.at) kind.example = found;
  kinds.set(name, kind);
}

function describe(report: Kind[]): string {
  const examples = report.slice(0, Number(FUZZ_SHOW)).map(({ name, count, example }, i) => {
    const short = i < Number(FUZZ_MINIMIZE) ? minimize(example) : example;
    if (FUZZ_SAVE !== undefined && short !== example) appendFileSync(FUZZ_SAVE, JSON.stringify(short.program) + "\n");
    return `${count} × ${name}\n${explain(short)}\n`;
  });
  const rest = report.slice(Number(FUZZ_SHOW)).map(({ name, count }) => `${count} × ${name}`);
  return [...examples, ...rest].join("\n");
}
