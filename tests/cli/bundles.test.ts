/** The built package as programs and bundlers find it: bundles that share one core, and modules of which nobody gets what he does not use. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import * as torch from "leafgrad";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as functionOnly from "../../src/ops/function-only.ts";
import { ensureBuilt, root } from "./cli.ts";

/** A project that has the package in its node_modules. */
const project = mkdtempSync(join(tmpdir(), "leafgrad-"));
mkdirSync(join(project, "node_modules"));
symlinkSync(root, join(project, "node_modules/leafgrad"));
beforeAll(ensureBuilt);
afterAll(() => rmSync(project, { recursive: true }));

function run(program: string, ...options: string[]): string {
  writeFileSync(join(project, "program.mjs"), program);
  return execFileSync(process.execPath, [...options, "program.mjs"], { cwd: project, encoding: "utf8" });
}

/** Names of exports; with those of classes, which texts show. Its text is part of the programs. */
const named = (module: object): string[] =>
  Object.entries(module).map(([name, value]) => `${name}: ${typeof value === "function" && String(value).startsWith("class") ? value.name : typeof value}`).sort();

describe.each([["Node", []], ["a bundler", ["--conditions=module"]]] as const)("as %s resolves it", (_, options) => {
  test("it has what the sources export, under the same names; classes keep their own", () => {
    const printed = run(`import * as torch from "leafgrad"; console.log(JSON.stringify((${named.toString()})(torch)));`, ...options);
    expect(JSON.parse(printed)).toEqual(named(torch));
  });

  test("the doctor listens to the same core, and names the program's line", () => {
    const program = `import * as torch from "leafgrad";
      import { diagnose } from "leafgrad/doctor";
      const { findings } = diagnose(() => {
        const x = torch.zeros(2, { requires_grad: true });
        x.sqrt().mul(0).sum().backward();
      });
      console.log(JSON.stringify(findings.map(({ rule, culprit }) => [rule, culprit.file.split("/").at(-1), culprit.line])));`;
    expect(JSON.parse(run(program, ...options))).toEqual([["nan-from-zero-times-inf", "program.mjs", 5]]);
  });

  test.each([[], ["--enable-source-maps"]])("anomaly mode shows the program's lines and none of the library's: %j", (...flags) => {
    const program = `import * as torch from "leafgrad";
      torch.setWarningHandler((text) => console.log(text));
      torch.autograd.set_detect_anomaly(true);
      const x = torch.zeros(2, { requires_grad: true });
      const y = x.sqrt().mul(0).sum();
      try { y.backward(); } catch {}`;
    const printed = run(program, ...options, ...flags);
    expect(printed).toContain("Error detected in SqrtBackward0");
    expect(printed).toContain("program.mjs:5:");
    expect(printed).not.toMatch(/(dist|src)[\\/]/);
  });
});

const readme = readFileSync(join(root, "README.md"), "utf8");
const example = /```ts\n(.*?)```/s.exec(readme)![1]!;

/** What a bundler makes of a program, and how much that is. */
function bundled(program: string): string {
  const stdin = { contents: program, resolveDir: project };
  return buildSync({ stdin, bundle: true, minify: true, format: "esm", write: false, logLevel: "error" }).outputFiles[0]!.text;
}

describe("bundled with a program", () => {
  const text = { app: "", all: "" };
  beforeAll(() => Object.assign(text, { app: bundled(example), all: bundled('import * as torch from "leafgrad"; console.log(torch);') }));

  test("it does the same", () => {
    expect(run(text.app)).toBe(/```text\n(.*?)```/s.exec(readme)![1]);
  });

  test.each(["multi_head_attention_forward", "einsum", "max_pool2d", "layer_norm", "cross_entropy", "gradcheck"])("%s is left out where nobody uses it", (name) => {
    expect(text.all).toContain(name);
    expect(text.app).not.toContain(name);
  });
});

test("the ops that bundlers may leave out are no methods", () => {
  const installed = Object.entries(functionOnly).filter(([, op]) => typeof op === "function" && "overloads" in op && (op.isMethod || op.overloads.some(({ inplace }) => inplace !== undefined)));
  expect(installed.map(([name]) => name)).toEqual([]);
});
