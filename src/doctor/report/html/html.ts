/** The page of a report: what a trace and its findings say, as one file for a browser. */
import type { Finding } from "../../rules/rule.ts";
import { Trace } from "../../trace/trace.ts";
import { Cuts } from "./cuts.ts";
import { Findings } from "./findings.ts";
import { Graphs, graphSources, reached, type Source } from "./graphs.ts";
import { Memory } from "./memory.ts";
import { Names } from "./names.ts";
import type { Page } from "./page.ts";
import { Spots } from "./spots.ts";

/** Graphs that a page shows at most; those with findings come first. */
const mostGraphs = 12;

export interface PageOptions {
  /** The program's file. */
  readonly program: string;
  /** How a file is shown. */
  readonly path: (file: string) => string;
}

/** The data of a page. */
export function pageOf(trace: Trace, findings: readonly Finding[], { program, path }: PageOptions): Page {
  const names = new Names(trace);
  const spots = new Spots(trace, path);
  const memory = new Memory(trace);
  const cuts = new Cuts(trace, findings);
  const graphs = new Graphs(trace, names, spots, memory, cuts);
  const sources = graphSources(trace, cuts);
  const shown = chosen(trace, sources, findings, names);
  const teller = new Findings(trace, names, spots, memory, cuts);
  return {
    program: path(program),
    error: trace.error === null ? null : `${trace.error.error.type}: ${trace.error.error.message}`,
    sources: spots.sources,
    findings: findings.map((finding) => teller.page(finding, shown)),
    graphs: shown.map((source) => graphs.graph(source)),
    graphCount: sources.length,
    leaves: graphs.leafNorms(),
    storages: memory.timelines(names, spots),
  };
}

/** The first graphs, and those in which a finding's line stands. */
function chosen(trace: Trace, sources: readonly Source[], findings: readonly Finding[], names: Names): Source[] {
  if (sources.length <= mostGraphs) return [...sources];
  const lines = new Set(findings.map(({ culprit }) => `${culprit?.file}:${culprit?.line}:${culprit?.column}`));
  const births = new Set([...trace.births.values()].flatMap(({ run }) => (run === null ? [] : [trace.runs.get(run)!.backward])));
  const hasFinding = (source: Source): boolean =>
    [...reached(trace, source).ids].some((id) => {
      const place = names.placeOfNode(trace.nodes.get(id)!);
      return place !== null && lines.has(`${place.file}:${place.line}:${place.column}`);
    });
  const first = sources.filter((source) => births.has(source!.backward)).slice(0, 4);
  const candidates = [...first, sources[0], sources.at(-1)!, ...sources.slice(0, 4 * mostGraphs).filter(hasFinding), ...sources];
  return [...new Set(candidates)].slice(0, mostGraphs).toSorted((a, b) => a!.backward - b!.backward);
}

/** The template with the data in it; `<` is escaped, so that no text of a program ends the script that holds it. */
export function htmlReport(template: string, page: Page): string {
  const parts: Record<string, string> = {
    title: `${page.program} – leafgrad doctor`.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`),
    data: JSON.stringify(page).replaceAll("<", "\\u003c"),
  };
  return template.replace(/\{\{(title|data)\}\}/g, (_, name: string) => parts[name]);
}
