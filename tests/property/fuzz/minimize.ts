/** Finds a shorter program that shows the same disagreement; asks PyTorch what each shorter program does. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Disagreement, replay, signature } from "./compare.ts";
import type { Program } from "./program.ts";

const python = process.env["FUZZ_PYTHON"] ?? (existsSync(".venv-oracle/bin/python") ? ".venv-oracle/bin/python" : "python3");
const script = fileURLToPath(new URL("./fuzz.py", import.meta.url));

function record(programs: Program[]): Program[] {
  const input = programs.map((program) => JSON.stringify(program)).join("\n");
  const { status, stdout, stderr } = spawnSync(python, [script, "--record"], { input, encoding: "utf8", maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`FUZZ_PYTHON (${python}) could not record: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Program);
}

/** A statement that refers to a dropped result did nothing: drop it too. */
const live = (program: Program): Program => ({ ...program, stmts: program.stmts.filter((stmt) => stmt.want?.missing === undefined) });

const drop = (program: Program, places: Set<number>): Program => ({ ...program, stmts: program.stmts.filter((_, i) => !places.has(i)) });

/** The disagreements, out of these programs, that are of the given kind; null for a program that has none. */
function stillDisagree(programs: Program[], kind: string): (Disagreement | null)[] {
  return record(programs).map((program) => {
    const found = replay(live(program));
    return found !== null && signature(found) === kind ? found : null;
  });
}

const cut = ({ program, at }: Disagreement): Program => ({ ...program, stmts: program.stmts.slice(0, at + 1) });

export function minimize(disagreement: Disagreement): Disagreement {
  const kind = signature(disagreement);
  let best = stillDisagree([{ ...cut(disagreement), observe: "all" }], kind)[0] ?? disagreement;
  for (;;) {
    const program = cut(best);
    const places = program.stmts.slice(0, -1).map((_, i) => i).toReversed();
    if (places.length === 0) return best;
    const singles = stillDisagree(places.map((place) => drop(program, new Set([place]))), kind);
    const droppable = places.filter((_, i) => singles[i] !== null);
    if (droppable.length === 0) return best;
    // Droppable one by one: try to drop them all at once, then ever fewer.
    const together = [];
    for (let n = droppable.length; n > 1; n = Math.floor(n / 2)) together.push(drop(program, new Set(droppable.slice(0, n))));
    const found = [...stillDisagree(together, kind), ...singles].filter((one) => one !== null);
    best = found.reduce((a, b) => (cut(b).stmts.length < cut(a).stmts.length ? b : a));
  }
}
