import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rulePage } from "../../src/doctor/report/page.ts";
import { rules } from "../../src/doctor/rules/index.ts";
import type { Finding } from "../../src/doctor/rules/rule.ts";
import { ensureBuilt, leafgrad, Workspace } from "../cli/cli.ts";

const workspace = new Workspace();
const { folder: cwd } = workspace;

beforeAll(ensureBuilt, 120_000);
afterAll(() => workspace.remove());

const findingsOf = (file: string): Finding[] => (JSON.parse(readFileSync(join(cwd, file), "utf8")) as { findings: Finding[] }).findings;

/** What the doctor finds in each program of the notes: rule and line, and whether the repair is proved. */
const notes: [string, [string, number, boolean | null][]][] = [
  ["01-leaf-inplace", [["leaf-modified-in-place", 22, true]]],
  ["02-retain-grad", []],
  ["03-float-dtypes", [["integer-requires-grad", 17, true], ["integer-requires-grad", 18, true], ["integer-requires-grad", 20, true], ["graph-cut", 25, null]]],
  ["04-nan-loss", [["nan-from-zero-times-inf", 10, true]]],
  ["05-nan-cause", [["nan-from-zero-times-inf", 8, true]]],
  ["06-nan-fixed", []],
];

test.each(notes)("the notes' program %s: what is found, where, and what is proved", async (name, expected) => {
  const { status } = await leafgrad(["doctor", `examples/notes/${name}.ts`, "--json", join(cwd, `${name}.json`)]);
  expect(findingsOf(`${name}.json`).map(({ rule, culprit, proof }) => [rule, culprit!.line, proof?.verified ?? null])).toEqual(expected);
  expect(status).toBe(expected.length === 0 ? 0 : 1);
});

test("the masked loss reads as it should", async () => {
  const { status, stdout } = await leafgrad(["doctor", "examples/notes/04-nan-loss.ts"]);
  expect(status).toBe(1);
  expect(stdout).toBe(`loss: tensor(0.0105, grad_fn=<MeanBackward0>)
tensor([    nan,  0.1416, -0.0243, -0.0167,  0.0000])

✖ NaN in x.grad[0] (1 of 5 elements)                                         nan-from-zero-times-inf
  born   examples/notes/04-nan-loss.ts:10:64   x.pow(0.5)   in the backward of pow
  why    d(x.pow(0.5))/dx = 0.5·x^-0.5 = 0.5·0^-0.5 = inf; the gradient that arrives is 0, because
         mask.rsub(1)[0] = 0; 0·inf = nan
  path   loss ← mean ← pow ← sub ← add ← mul ← pow ← x
  fix    take the slope only where it is finite: x.masked_fill(x.le(0), 1) in place of x, or pick
         the elements with index()
  proof  re-ran with the fix: loss 0.0105 = 0.0105; x.grad = [0.0000, 0.1416, -0.0243, -0.0167,
         0.0000]; central differences agree

1 error; leafgrad explain RULE tells more of a rule
`);
});

test("a trace is read back to the same findings, without the program", async () => {
  workspace.write({ "twice.ts": rules.find(({ id }) => id === "backward-twice")!.bad });
  await leafgrad(["doctor", "twice.ts", "--trace", "t.ndjson", "--json", "first.json"], { cwd });
  const { status } = await leafgrad(["doctor", "t.ndjson", "--json", "second.json"], { cwd });
  expect(status).toBe(1);
  expect(findingsOf("second.json")).toEqual(findingsOf("first.json").map((finding) => ({ ...finding, proof: null })));
});

test("a program may exit by itself, take arguments and fail late", async () => {
  workspace.write({
    "late.ts": `import * as torch from "leafgrad";
const w = torch.ones([2], { requires_grad: true });
console.log(process.argv.slice(2).join());
setTimeout(() => {
  w.mul_(2);
});
`,
    "exits.ts": `import * as torch from "leafgrad";
torch.zeros([2], { requires_grad: true }).sqrt().sum().backward();
process.exit(5);
`,
  });
  const late = await leafgrad(["doctor", "late.ts", "--", "--lr", "1"], { cwd });
  expect(late.stdout).toMatch(/^--lr,1\n[^]*late\.ts:5:5 {3}w\.mul_\(2\)/);
  const exits = await leafgrad(["doctor", "exits.ts"], { cwd });
  expect(exits.stdout).toContain("infinite-slope");
});

test.each([
  [["doctor"], "doctor: no file given; see leafgrad doctor --help"],
  [["doctor", "absent.ts"], "doctor: no such file: absent.ts"],
  [["doctor", "absent.ndjson"], "doctor: no such file: absent.ndjson"],
  [["explain", "graph-cuts"], 'explain: no rule is called "graph-cuts"; did you mean graph-cut?'],
])("%j is refused with status 2", async (args, message) => {
  const { status, stderr } = await leafgrad(args, { cwd });
  expect({ status, stderr: stderr.split("\n")[0] }).toEqual({ status: 2, stderr: `leafgrad: ${message}` });
});

test("a program that cannot be run gives status 2, and so does an error that no rule explains", async () => {
  workspace.write({ "syntax.ts": "const a: number = = 3;\n", "throws.ts": 'throw new Error("mine");\n' });
  for (const file of ["syntax.ts", "throws.ts"]) {
    const { status, stderr } = await leafgrad(["doctor", file], { cwd });
    expect(status).toBe(2);
    expect(stderr).toContain("no rule explains it");
  }
});

test("leafgrad explain prints the page of a rule", async () => {
  const { status, stdout } = await leafgrad(["explain", "graph-cut"]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: rulePage(rules.find(({ id }) => id === "graph-cut")!) });
});

test.each(rules.map((rule) => [rule.id, rule] as const))("the page of %s shows both examples", (_, rule) => {
  const plain = rulePage(rule).replace(/^ {4}/gm, "");
  expect(plain).toContain(rule.bad);
  expect(plain).toContain(rule.good);
});
