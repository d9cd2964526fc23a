/**
 * Public names: each is PyTorch's, or camelCase and no second name for one of PyTorch's. Looks at what the package
 * exports, at its sub-namespaces, and at the methods and properties of a tensor, in dist/.
 */
import { readFileSync } from "node:fs";
import { ensureBuilt } from "./build.mjs";

/** Names that the rule would refuse, each with the reason why it stays. */
const allowed = {
  torch: {
    AssertionError: "a class of Python's that PyTorch raises",
    IndexError: "a class of Python's that PyTorch raises",
    NotImplementedError: "a class of Python's that PyTorch raises",
    RuntimeError: "a class of Python's that PyTorch raises",
    ValueError: "a class of Python's that PyTorch raises",
  },
  "torch.autograd": {
    GradcheckError: "PyTorch's own, from its module torch.autograd.gradcheck",
  },
};

const fixture = new URL("../tests/oracle/fixtures/api-names.json", import.meta.url);
const pytorch = new Map(
  Object.entries(JSON.parse(readFileSync(fixture, "utf8")).runtime).map(([path, { by_kind, __all__ }]) => [
    path,
    new Set([...Object.values(by_kind).flat(), ...__all__]),
  ]),
);

const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Each offending name of `members`, a map from the names that `path` offers to their values. */
function offences(path, members) {
  const known = pytorch.get(path);
  const original = new Map();
  for (const [name, value] of members) if (known.has(name) && typeof value === "function") original.set(value, name);
  return [...members].flatMap(([name, value]) => {
    // As in Python, a leading underscore says that a name is not public.
    if (name.startsWith("_") || known.has(name) || Object.hasOwn(allowed[path] ?? {}, name)) return [];
    if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) return [`${path}.${name} is neither PyTorch's nor camelCase`];
    const twin = known.has(snakeCase(name)) ? snakeCase(name) : original.get(value);
    return twin === undefined ? [] : [`${path}.${name} is a second name for ${twin}`];
  });
}

/** A namespace and, below it, those that PyTorch has too. */
function* namespaces(path, value) {
  yield [path, new Map(Object.entries(value))];
  for (const [name, member] of Object.entries(value)) {
    const inner = `${path}.${name}`;
    if (typeof member === "object" && pytorch.has(inner)) yield* namespaces(inner, member);
  }
}

/** A tensor's members: its fields, and what its prototype holds. */
function tensorMembers(torch) {
  const tensor = torch.tensor([1, 2]);
  const members = new Map();
  for (const target of [tensor, torch.Tensor.prototype]) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(target))) {
      if (name !== "constructor") members.set(name, value);
    }
  }
  return members;
}

ensureBuilt();
const torch = await import(new URL("../dist/index.js", import.meta.url).href);
const spaces = [...namespaces("torch", torch), ["torch.Tensor", tensorMembers(torch)]];
const found = spaces.flatMap(([path, members]) => offences(path, members));
for (const line of found) console.error(line);
const count = spaces.reduce((sum, [, members]) => sum + members.size, 0);
console.log(`names: ${count} in ${spaces.length} namespaces, ${found.length} offences`);
process.exitCode = found.length === 0 ? 0 : 1;
