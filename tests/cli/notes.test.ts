import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { ensureBuilt, leafgrad, root } from "./cli.ts";

interface Expected {
  readonly stdout: string;
  readonly error: string | null;
}

const fixture = readFileSync(join(root, "tests/cli/notes.expected.json"), "utf8");
const { programs } = JSON.parse(fixture) as { programs: Record<string, Expected> };

beforeAll(ensureBuilt, 120_000);

test("every program of the notes has a port", () => {
  expect(readdirSync(join(root, "examples/notes")).sort()).toEqual(Object.keys(programs));
});

test.each(Object.entries(programs))("%s prints what PyTorch prints", async (name, expected) => {
  const { status, stdout, stderr } = await leafgrad(["run", `examples/notes/${name}`]);
  expect(stdout).toBe(expected.stdout);
  expect(stderr.split("\n")[0]).toBe(expected.error ?? "");
  expect(status).toBe(expected.error === null ? 0 : 1);
});
