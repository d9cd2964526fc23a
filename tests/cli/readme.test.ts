import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureBuilt, leafgrad, root, Workspace } from "./cli.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");
const workspace = new Workspace();

beforeAll(ensureBuilt, 120_000);
afterAll(() => workspace.remove());

test("the README's program prints what the README says", async () => {
  const [, program, output] = /```ts\n([^]*?)```\n\n```text\n([^]*?)```/.exec(readme)!;
  workspace.write({ "readme.ts": program! });
  expect(await workspace.run("readme.ts")).toEqual({ status: 0, stdout: output, stderr: "" });
});

test("the doctor says what the README says", async () => {
  const [, file, output] = /\$ npx leafgrad doctor (\S+)\n([^]*?)```/.exec(readme)!;
  const { stdout } = await leafgrad(["doctor", file!]);
  expect(stdout).toBe(output);
});

test("the doctor's guide prints what it says", async () => {
  const guide = readFileSync(join(root, "docs/guide/doctor.md"), "utf8");
  const [, program] = /```ts\n([^]*?)```/.exec(guide)!;
  workspace.write({ "guide.ts": program! });
  const said = /console\.log\(.*\); \/\/ (.*)/.exec(program!)![1];
  expect((await workspace.run("guide.ts")).stdout).toBe(`${said}\n`);
});

test("the README's error looks as the README says", async () => {
  const [, file, output] = /\$ npx leafgrad run (\S+)\n([^]*?)```/.exec(readme)!;
  const { stderr } = await leafgrad(["run", file!]);
  expect(stderr.startsWith(output!)).toBe(true);
});
