import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureBuilt, leafgrad, root, Workspace } from "./cli.ts";

const inPlaceOnLeaf = "RuntimeError: a leaf Variable that requires grad is being used in an in-place operation.";
const workspace = new Workspace();

beforeAll(ensureBuilt, 120_000);
afterAll(() => workspace.remove());

describe("the command line", () => {
  test("--help lists the commands", async () => {
    const { status, stdout, stderr } = await leafgrad(["--help"]);
    expect(stdout).toMatch(/Usage: leafgrad COMMAND[^]*\n {2}run +run a TypeScript or JavaScript program\n/);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  test("--version prints the package's version", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect(await leafgrad(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("run --help explains the command", async () => {
    const { status, stdout } = await leafgrad(["run", "--help"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Usage: leafgrad run FILE/);
  });

  test.each([
    [[], "no command given"],
    [["train"], 'unknown command "train"; see leafgrad --help'],
    [["--fast"], 'unknown option "--fast"; see leafgrad --help'],
    [["prog.ts"], 'unknown command "prog.ts"; to run a program: leafgrad run prog.ts'],
    [["run"], "run: no file given; see leafgrad run --help"],
    [["run", "--fast"], 'run: unknown option "--fast"; see leafgrad run --help'],
    [["run", "absent.ts"], "run: no such file: absent.ts"],
    [["run", "src"], "run: not a file: src"],
    [["run", "README.md"], "run: cannot run README.md; a program ends in .ts, .mts, .js, .mjs"],
  ])("%j is refused with status 2", async (args, message) => {
    const { status, stdout, stderr } = await leafgrad(args);
    expect(stderr.split("\n")[0]).toBe(`leafgrad: ${message}`);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });
});

describe("a program", () => {
  test.each(["prog.ts", "prog.mts", "prog.js", "prog.mjs"])("%s finds leafgrad wherever it lies", async (name) => {
    workspace.write({ [name]: 'import * as torch from "leafgrad";\nconsole.log(String(torch.tensor([1, 2]).add(1)));\n' });
    expect(await workspace.run(name)).toEqual({ status: 0, stdout: "tensor([2., 3.])\n", stderr: "" });
  });

  test("finds its arguments where node puts them", async () => {
    workspace.write({ "args.mjs": "console.log(JSON.stringify(process.argv));\n" });
    const { stdout } = await workspace.run("args.mjs", "--lr", "0.1", "--help");
    const path = join(realpathSync(workspace.folder), "args.mjs");
    expect(JSON.parse(stdout)).toEqual([process.execPath, path, "--lr", "0.1", "--help"]);
  });

  test("may use what types alone cannot express", async () => {
    workspace.write({
      "rewritten.ts": [
        "enum Colour { Red = 1, Blue }",
        "namespace Space { export const q: number = 7 }",
        "class Model { constructor(private readonly rate: number) {} get(): number { return this.rate; } }",
        "console.log(Colour.Blue, Space.q, new Model(3).get());",
        'throw new Error("here" as string);',
      ].join("\n"),
    });
    const { status, stdout, stderr } = await workspace.run("rewritten.ts");
    expect(stdout).toBe("2 7 3\n");
    expect(stderr).toContain("rewritten.ts:5:");
    expect(status).toBe(1);
  });

  test("may name the .js that a .ts file will become", async () => {
    workspace.write({
      "main.ts": 'import { half } from "./lib/half.js";\nconsole.log(half(3));\n',
      "lib/half.ts": "export const half = (x: number): number => x / 2;\n",
    });
    expect(await workspace.run("main.ts")).toEqual({ status: 0, stdout: "1.5\n", stderr: "" });
  });

  test("may be CommonJS", async () => {
    workspace.write({ "common.js": 'console.log(require("node:path").basename(__filename));\n' });
    expect(await workspace.run("common.js")).toEqual({ status: 0, stdout: "common.js\n", stderr: "" });
  });

  test("keeps its own exit status", async () => {
    workspace.write({ "exit.mjs": "process.exitCode = 7;\n" });
    expect(await workspace.run("exit.mjs")).toEqual({ status: 7, stdout: "", stderr: "" });
  });

  test("keeps its own listener for uncaught errors", async () => {
    workspace.write({
      "listens.mjs": 'process.on("uncaughtException", (e) => console.log("mine:", e.message));\nsetTimeout(() => { throw new Error("late"); });\n',
    });
    expect(await workspace.run("listens.mjs")).toEqual({ status: 0, stdout: "mine: late\n", stderr: "" });
  });
});

describe("an uncaught error", () => {
  const writesLeaf = 'import * as torch from "leafgrad";\n\nexport function step(w: torch.Tensor): void {\n\tconst 名: string = "叶子"; w.add_(1);\n}\n';

  test("shows PyTorch's message, the user's own line, then the stack", async () => {
    workspace.write({
      "step.ts": writesLeaf,
      "train.ts": 'import * as torch from "leafgrad";\nimport { step } from "./step.ts";\nstep(torch.ones([2], { requires_grad: true }));\n',
    });
    const { status, stdout, stderr } = await workspace.run("train.ts");
    const [head, place, stack] = stderr.split("\n\n");
    expect(head).toBe(inPlaceOnLeaf);
    // The caret counts cells: a tab and three characters that are two cells wide.
    expect(place).toBe(`step.ts:4:28\n  4 | \tconst 名: string = "叶子"; w.add_(1);\n    | \t${" ".repeat(29)}^`);
    expect(stack).toMatch(/\n {4}at step \(step\.ts:4:28\)\n {4}at train\.ts:3:1\n$/);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  });

  test("is found in a promise and in a timer", async () => {
    const late = 'import * as torch from "leafgrad";\nconst w = torch.ones([2], { requires_grad: true });\n';
    workspace.write({
      "promise.mts": `${late}async function main(): Promise<void> {\n  await null;\n  w.add_(1);\n}\nvoid main();\n`,
      "timer.mts": `${late}setTimeout(() => {\n  w.add_(1);\n});\n`,
    });
    for (const [name, line] of [["promise.mts", 5], ["timer.mts", 4]] as const) {
      const { status, stderr } = await workspace.run(name);
      expect(stderr).toMatch(new RegExp(`^${inPlaceOnLeaf.replaceAll(".", "\\.")}\n\n${name}:${line}:5\n`));
      expect(status).toBe(1);
    }
  });

  test("shows its cause", async () => {
    workspace.write({ "cause.mjs": 'const cause = new Error("first");\nthrow new TypeError("second", { cause });\n' });
    const { stderr } = await workspace.run("cause.mjs");
    expect(stderr).toMatch(/^TypeError: second\n\ncause\.mjs:2:7\n[^]*\n\nCaused by Error: first\n\ncause\.mjs:1:15\n/);
  });

  test("may be anything", async () => {
    workspace.write({ "string.mjs": 'throw "a string";\n' });
    expect(await workspace.run("string.mjs")).toEqual({ status: 1, stdout: "", stderr: "Uncaught 'a string'\n" });
  });

  test("of syntax names its place", async () => {
    workspace.write({ "syntax.ts": "const a: number = = 3;\n", "syntax.mjs": "const a = = 3;\n" });
    const typescript = await workspace.run("syntax.ts");
    expect(typescript.stderr).toMatch(/^SyntaxError: .*\n\nsyntax\.ts:1:19\n/);
    const javascript = await workspace.run("syntax.mjs");
    expect(javascript.stderr).toContain("syntax.mjs:1\nconst a = = 3;\n          ^\n");
    expect([typescript.status, javascript.status]).toEqual([1, 1]);
  });

  test("has colours only where they are wanted", async () => {
    workspace.write({ "step.ts": writesLeaf, "throws.mjs": 'throw new Error("x");\n' });
    const { folder: cwd } = workspace;
    const plain = await leafgrad(["run", "throws.mjs"], { cwd });
    const coloured = await leafgrad(["run", "throws.mjs"], { cwd, env: { FORCE_COLOR: "1" } });
    expect(plain.stderr).not.toContain("\u001B[");
    expect(coloured.stderr).toContain("\u001B[1;31mError");
  });
});
