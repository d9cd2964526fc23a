/** Findings with all that the page shows beside them: marks, path, arithmetic, diff. */
import { elementText, operandName, symbolicText, victimName } from "../../rules/describe.ts";
import type { Finding } from "../../rules/rule.ts";
import type { BirthEvent, OpEvent, Place, Zero } from "../../trace/events.ts";
import type { Trace } from "../../trace/trace.ts";
import type { Cuts } from "./cuts.ts";
import { diffOf } from "./diff.ts";
import { reached, type Source } from "./graphs.ts";
import type { Memory } from "./memory.ts";
import type { Names } from "./names.ts";
import type { Arithmetic, ElementStrip, Factor, Mark, PageFinding } from "./page.ts";
import type { Spots } from "./spots.ts";

export class Findings {
  private readonly trace: Trace;
  private readonly names: Names;
  private readonly spots: Spots;
  private readonly memory: Memory;
  private readonly tensorNamed = new Map<string, number>();

  private readonly cuts: Cuts;

  constructor(trace: Trace, names: Names, spots: Spots, memory: Memory, cuts: Cuts) {
    this.trace = trace;
    this.cuts = cuts;
    this.names = names;
    this.spots = spots;
    this.memory = memory;
    for (const tensor of trace.tensors.keys()) {
      const name = names.tensor(tensor);
      if (!this.tensorNamed.has(name)) this.tensorNamed.set(name, tensor);
    }
  }

  /** `sources` are the graphs of the page. */
  page({ culprit, fix, ...finding }: Finding, sources: readonly Source[]): PageFinding {
    const { trace } = this;
    const birth = this.birthAt(culprit);
    const save = this.saveOverwrittenAt(culprit);
    const victim = this.harmed(finding);
    const { graph, node } = this.cutAt(sources, culprit) ?? this.located(sources, birth?.run == null ? null : trace.runs.get(birth.run)!.backward, save?.node.node ?? this.nodeOf(birth), this.nodesAt(culprit), victim);
    const source = graph === null ? null : sources[graph];
    return {
      ...finding,
      place: culprit === null ? null : this.spots.text(culprit),
      call: culprit?.op ?? null,
      fix: fix.text,
      diff: fix.edits.length === 0 ? [] : diffOf(trace.sources, fix.edits, (file) => this.spots.shown(file)),
      marks: this.marks(culprit, victim, save === null ? null : this.names.placeOfNode(save.node), finding),
      graph,
      node,
      pathNodes: node === null || graph === null || node < 0 ? [] : this.path(source, node, victim),
      arithmetic: birth === null ? null : this.arithmetic(birth),
      victimValues: this.strip(finding, victim),
      storage: save?.storage ?? null,
    };
  }

  /** The tensor that suffers: that of the headline, for several may have its name. */
  private harmed({ victim, tensor }: Pick<Finding, "victim" | "tensor">): number | null {
    const poison = victim === null ? undefined : this.trace.poisons.find((p) => p.values.numel === victim.numel && p.values.nan + p.values.inf === victim.count && victimName(this.trace, p) === victim.name);
    return poison?.tensor ?? this.tensorNamed.get((victim?.name ?? tensor ?? "").replace(/\.grad$/, "")) ?? null;
  }

  private isAt(place: Place | null, culprit: Place | null): boolean {
    return place !== null && culprit !== null && place.file === culprit.file && place.line === culprit.line && place.column === culprit.column;
  }

  private nodesAt(culprit: Place | null): number[] {
    return [...this.trace.nodes.values()].filter((node) => node.accumulates === null && this.isAt(this.names.placeOfNode(node), culprit)).map(({ node }) => node);
  }

  private birthAt(culprit: Place | null): BirthEvent | null {
    return [...this.trace.births.values()].find(({ op }) => op !== null && this.isAt(this.names.placeOfOp(this.trace.ops.get(op)), culprit)) ?? null;
  }

  private saveOverwrittenAt(culprit: Place | null): Memory["saves"][number] | null {
    return this.memory.saves.find(({ overwrittenBy }) => overwrittenBy !== null && this.isAt(this.names.placeOfOp(this.trace.ops.get(overwrittenBy.op)), culprit)) ?? null;
  }

  /** The node that gave birth: in backward the one that ran, in forward that of the op. */
  private nodeOf(birth: BirthEvent | null): number | null {
    if (birth === null) return null;
    if (birth.run !== null) return this.trace.runs.get(birth.run)!.node;
    return birth.op === null ? null : this.trace.ops.get(birth.op)!.node;
  }

  /** The graph to show and the node to blame in it: the guilty one, or else one of the same line, or else the leaf that suffers. */
  private located(sources: readonly Source[], backward: number | null, guilty: number | null, alike: readonly number[], victim: number | null): { graph: number | null; node: number | null } {
    const leaf = victim === null ? null : (this.trace.accumulatorOf(victim)?.node ?? null);
    // A node may run in several backwards; the one that went wrong comes first.
    const insides = sources.map((source, graph) => ({ graph, ids: reached(this.trace, source).ids }));
    insides.sort((a, b) => Number(sources[b.graph]?.backward === backward) - Number(sources[a.graph]?.backward === backward));
    for (const candidates of [[guilty], alike.toReversed(), [leaf]]) {
      for (const node of candidates) {
        const inside = insides.find(({ ids }) => node !== null && ids.has(node));
        if (inside !== undefined) return { graph: inside.graph, node };
      }
    }
    return { graph: null, node: null };
  }

  /** The cut that stands at a line, in the first graph that has it. */
  private cutAt(sources: readonly Source[], culprit: Place | null): { graph: number; node: number } | null {
    if (culprit === null || this.cuts.isEmpty) return null;
    for (const [graph, source] of sources.entries()) {
      const cut = this.cuts.among(reached(this.trace, source).ids).find(({ place }) => place?.file === culprit.file && place.line === culprit.line);
      if (cut !== undefined) return { graph, node: cut.id };
    }
    return null;
  }

  private path(source: Source, node: number, victim: number | null): number[] {
    const { roots } = reached(this.trace, source);
    const leaf = victim !== null && this.trace.accumulatorOf(victim) !== null ? victim : null;
    for (const root of roots) {
      const path = this.trace.path(root, node, leaf);
      if (path.length > 0) return path;
    }
    return [];
  }

  private marks(culprit: Finding["culprit"], victim: number | null, saver: Place | null, finding: Pick<Finding, "victim" | "tensor">): Mark[] {
    const blamed = this.spots.of(culprit);
    const harmed = this.spots.of(saver ?? (victim === null ? null : this.names.placeOfTensor(victim)));
    const name = finding.victim?.name ?? finding.tensor ?? "";
    const marks: Mark[] = [];
    if (blamed !== null) marks.push({ ...blamed, role: "culprit", text: "the line to blame" });
    if (harmed !== null && harmed.line !== blamed?.line) marks.push({ ...harmed, role: "victim", text: saver === null ? `${name} suffers` : `${name} is saved here` });
    return marks;
  }

  private arithmetic({ equation, element, phase, zero, kind, op: id, tensor }: BirthEvent): Arithmetic | null {
    if (equation === null) return null;
    const { numeric, value, grad, step, slope } = equation;
    const isSlope = phase === "backward" && typeof slope === "string";
    const op = id === null ? null : this.trace.ops.get(id)!;
    const call = op === null ? "" : this.names.call(op);
    return {
      quantity: isSlope && tensor !== null ? `d(${call})/d${this.names.tensor(tensor)}` : phase === "forward" ? call : `the gradient of ${call}`,
      symbolic: symbolicText(this.trace, equation, op), numeric, value, grad, step, element,
      factors: [...equation.names.filter(({ name }) => name !== "grad").map((n) => this.factor(n, element, op)), ...(grad === null ? [] : [this.incoming(grad, zero)])],
      outcome: isSlope && grad !== null ? kind : null,
    };
  }

  private factor({ name, tensor, value }: { name: string; tensor: number | null; value: Factor["value"] }, element: readonly number[], op: OpEvent | null): Factor {
    if (tensor === null) return { name, value, note: "a number of the call", spot: null };
    const at = this.trace.tensors.get(tensor)!.shape.length === 0 ? "" : elementText(element);
    return { name: operandName(this.trace, tensor, op) ?? name, value, note: `${this.names.tensor(tensor)}${at}`, spot: this.spots.of(this.names.placeOfTensor(tensor)) };
  }

  private incoming(grad: Factor["value"], zero: Zero | null): Factor {
    const op = zero?.op == null ? null : this.trace.ops.get(zero.op)!;
    const reason = zero === null || op === null ? "arrives from above" : zero.tensor === null
      ? `${this.names.call(op)} ${zero.number === null ? "passes none to this element" : "multiplies by 0"}`
      : `${this.names.tensor(zero.tensor)}${elementText(zero.element)} = 0 in ${this.names.call(op)}`;
    return { name: "gradient", value: grad, note: reason, spot: this.spots.of(this.names.placeOfOp(op)) };
  }

  /** The numbers that came to harm: those of a gradient, or of the tensor itself. */
  private strip({ victim, elements }: Pick<Finding, "victim" | "elements">, tensor: number | null): ElementStrip | null {
    if (tensor === null || elements.length === 0 || victim === null) return null;
    const { shape } = this.trace.tensors.get(tensor)!;
    const told = victim.name.endsWith(".grad") ? this.trace.accumulations : this.trace.poisons.filter(({ what }) => what !== "grad");
    const values = told.find((event) => event.tensor === tensor && event.values.nonfinite.length > 0)?.values;
    if (values === undefined) return null;
    const { head, numel, nonfinite } = values;
    return { name: victim.name, shape, head, numel, bad: nonfinite };
  }
}
