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

test("the README's error looks as the README says", async () => {
  const [, file, output] = /\$ npx leafgrad run (\S+)\n([^]*?)```/.exec(readme)!;
  const { stderr } = await leafgrad(["run", file!]);
  expect(stderr.startsWith(output!)).toBe(true);
});
