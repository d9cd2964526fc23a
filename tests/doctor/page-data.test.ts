/** The data of the page, made from a trace. */
import { expect, test } from "vitest";
import { examine } from "../../src/doctor/examine.ts";
import { htmlReport, pageOf } from "../../src/doctor/report/html/html.ts";
import type { Page } from "../../src/doctor/report/html/page.ts";
import { record } from "../../src/doctor/session.ts";
import { around, blockId, fold, visible } from "../../inspector/fold.ts";
import { programOf } from "./program.ts";

const file = "/program.ts";

function pageFor(source: string): Page {
  const trace = record(programOf(source, file), { read: (path) => (path === file ? source : null) });
  return pageOf(trace, examine(trace), { program: file, path: (path) => path.slice(1) });
}

test("a masked root: marks, path, arithmetic and elements", () => {
  const { findings: [finding], graphs: [graph], program } = pageFor(`import * as torch from "leafgrad";
const x = torch.tensor([0, 4], { requires_grad: true });
const loss = x.pow(0.5).mul(0).add(x).sum();
loss.backward();
`);
  expect(program).toBe("program.ts");
  expect(finding.marks).toMatchObject([{ role: "culprit", line: 3, column: 14, length: "x.pow(0.5)".length }, { role: "victim", line: 2 }]);
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  expect(finding.pathNodes.map((id) => nodes.get(id)!.label)).toEqual(["sum", "add", "mul", "pow", "x"]);
  expect(nodes.get(finding.node!)).toMatchObject({ label: "pow", isPoisoned: true, sick: [true], spot: { line: 3 } });
  expect(finding.arithmetic).toMatchObject({
    quantity: "d(x.pow(0.5))/dx", symbolic: "0.5·x^-0.5", numeric: "0.5·0^-0.5", value: "inf", grad: 0, outcome: "nan", element: [0],
    factors: [{ name: "x", value: 0, spot: { line: 2 } }, { name: "gradient", value: 0, spot: { line: 3 } }],
  });
  expect(finding.victimValues).toEqual({ name: "x.grad", shape: [2], head: ["nan", 1], numel: 2, bad: [0] });
  expect(nodes.get(graph.roots[0])).toMatchObject({ label: "sum", tensor: "loss", order: 0, grad: { norm: 1 } });
});

test("a cut is a node between what uses the value and what it came from, and the finding's own", () => {
  const { findings: [finding], graphs: [graph] } = pageFor(`import * as torch from "leafgrad";
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const hidden = w.mul(3).detach();
const loss = hidden.add(1).mul(b).sum();
loss.backward();
`);
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const cut = nodes.get(finding.node!)!;
  expect(cut).toMatchObject({ label: "detach", isCut: true, tensor: "hidden", spot: { line: 4 } });
  expect(graph.nodes.filter(({ next }) => next.includes(cut.id)).map(({ label }) => label)).toEqual(["mul"]);
  expect(cut.next.map((id) => nodes.get(id!)!.label)).toEqual(["mul"]);
  expect(graph.nodes.filter(({ isCutOff }) => isCutOff).map(({ label }) => label)).toEqual(["w", "mul"]);
});

test.each([
  ["no node behind it", "const loss = torch.tensor(w.tolist() as number[]).mul(b).sum();", ["b", "w", "tolist", "mul", "sum"]],
  ["no node before it", "const loss = w.mul(b).gt(1).float().sum();", ["w", "b", "mul", "gt", "loss"]],
  ["no node at all", "const loss = w.gt(1).float().sum();", ["w", "gt", "loss"]],
])("a cut with %s", (_, line, labels) => {
  const { findings: [finding], graphs: [graph] } = pageFor(`import * as torch from "leafgrad";
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
${line}
loss.backward();
`);
  expect(graph.nodes.map(({ label }) => label).toSorted()).toEqual(labels.toSorted());
  const cut = graph.nodes.find(({ isCut }) => isCut)!;
  expect(finding.node).toBe(cut.id);
  // Nodes come after all that they lead to.
  graph.nodes.forEach(({ next }, i) => next.forEach((id) => id === null || expect(graph.nodes.findIndex((node) => node.id === id)).toBeLessThan(i)));
});

test("a write between save and use: the storage's timeline, the diff, and the nodes that it concerns", () => {
  const page = pageFor(`import * as torch from "leafgrad";
const x = torch.tensor([1, 2], { requires_grad: true });
const y = x.exp();
y.add_(1);
const loss = y.sum();
loss.backward();
`);
  const [finding] = page.findings;
  const timeline = page.storages.find(({ storage }) => storage === finding.storage)!;
  expect(timeline.moments.map(({ kind, version, spot, harm }) => [kind, version, spot!.line, harm !== null])).toEqual([
    ["made", 0, 3, false], ["saved", 0, 3, false], ["written", 1, 4, true], ["refused", 0, 3, true],
  ]);
  expect(finding.marks.map(({ role, line }) => [role, line])).toEqual([["culprit", 4], ["victim", 3]]);
  expect(finding.diff[0].lines.map(({ sign, text }) => `${sign}${text}`)).toEqual([
    " const x = torch.tensor([1, 2], { requires_grad: true });", "-const y = x.exp();", "-y.add_(1);", "+let y = x.exp();", "+y = y.add(1);", " const loss = y.sum();",
  ]);
  expect(page.graphs[0].nodes.filter(({ isOverwritten }) => isOverwritten).map(({ label }) => label)).toEqual(["exp", "add"]);
});

test("an update after backward is no harm, and leaves keep their names from step to step", () => {
  const { storages, leaves, graphs } = pageFor(`import * as torch from "leafgrad";
const weights = [1, 2].map((n) => torch.tensor([n], { requires_grad: true }));
for (let step = 0; step < 3; step++) {
  weights[0].mul(weights[1]).sum().backward();
  torch.no_grad(() => weights.forEach((w) => w.sub_(w.grad.mul(0.1))));
}
torch.ones([1], { requires_grad: true }).log().sqrt().sum().backward();
`);
  expect(storages.map(({ conflict, moments }) => [conflict, moments.filter(({ kind }) => kind === "written").length])).toEqual([[false, 3], [false, 3]]);
  expect(leaves.series.slice(0, 2)).toMatchObject([
    { name: "weights[0]", norms: [2, expect.closeTo(1.9, 5), expect.closeTo(1.72, 5), null] },
    { name: "weights[1]" },
  ]);
  expect(graphs.map(({ label }) => label)).toEqual(["backward 1, line 4", "backward 2, line 4", "backward 3, line 4", "backward 4, line 7"]);
});

test("no text of a program ends the script that holds it", () => {
  const page = { program: `<b>"&`, sources: [{ file: "a", text: "</script><!--{{title}}$&" }] } as unknown as Page;
  const text = htmlReport("<title>{{title}}</title><script>{{data}}</script>", page);
  expect(text).toMatch(/^<title>&#60;b&#62;&#34;&#38; – leafgrad doctor<\/title><script>[^<]*<\/script>$/);
  expect(JSON.parse(/<script>(.*)<\/script>/.exec(text)![1])).toEqual(page);
});

test.each([
  ["a chain of one op", 10_000, () => "mul"],
  ["a loop of three", 9_000, (i: number) => `op${i % 3}`],
  ["layers within steps", 12_000, (i: number) => (i % 120 === 0 ? "step" : `op${i % 4}`)],
  ["no two alike", 10_000, (i: number) => `op${i}`],
] as const)("%s is folded to few blocks that cover it, and each node can be reached", (_, length, key) => {
  const blocks = fold(Array.from({ length }, (_, i) => key(i)));
  expect(blocks.length).toBeLessThanOrEqual(24);
  for (const index of [0, 1234, length - 1]) {
    const seen = visible(blocks, new Set(around(blocks, index)));
    expect(seen.length).toBeLessThanOrEqual(160);
    expect(seen.some(({ from, to }) => from === index && to === index + 1)).toBe(true);
    expect(seen.reduce((end, { from, to }) => (from === end ? to : -1), 0)).toBe(length);
    expect(new Set(seen.map(blockId)).size).toBe(seen.length);
  }
});

test("a short graph is shown whole", () => {
  expect(fold(new Array<string>(60).fill("mul"))).toHaveLength(60);
});
