/** Runs a program's text in this process, as the doctor runs one. */
import { compileFunction } from "node:vm";
import * as torch from "leafgrad";
import { stripTypes } from "../../src/cli/strip-types.ts";
import { diagnose, type Report } from "../../src/doctor/diagnose.ts";
import { proved } from "../../src/doctor/proof/proof.ts";
import type { Finding } from "../../src/doctor/rules/rule.ts";
import { record } from "../../src/doctor/session.ts";
import type { Trace } from "../../src/doctor/trace/trace.ts";

/** A program as a function: its imports of leafgrad become parameters, and every other character stays in its place. */
export function programOf(source: string, file: string): () => unknown {
  const names: string[] = [];
  const values: unknown[] = [];
  const body = stripTypes(source, file).replace(/^import (?:\* as (\w+)|\{ functional as (\w+) \}) from "(.*)";/gm, (line: string, whole: string | undefined, functional: string | undefined) => {
    names.push(whole ?? functional!);
    values.push(whole === undefined ? torch.nn.functional : torch);
    return " ".repeat(line.length);
  });
  const silent = { ...console, log: (...shown: unknown[]) => shown.forEach(String) };
  return () => (compileFunction(body, [...names, "console"], { filename: file }) as (...args: unknown[]) => unknown)(...values, silent);
}

/** What the doctor says of a program. Its random stream starts anew. */
export function diagnoseText(source: string, file = "/program.ts"): Report {
  torch.manual_seed(0);
  torch.setWarningHandler(() => {});
  return diagnose(programOf(source, file), { read: (path) => (path === file ? source : null) });
}

/** The findings of a program, each with its proof where its repair is mechanical. */
export async function provedFindings(source: string, file = "/program.ts"): Promise<Finding[]> {
  const { findings, trace } = diagnoseText(source, file);
  const rerun = async (sources: ReadonlyMap<string, string>): Promise<Trace> => {
    torch.manual_seed(0);
    return record(programOf(sources.get(file)!, file), { read: (path) => sources.get(path) ?? null, check: true });
  };
  return Promise.all(findings.map((finding) => proved(finding, trace!, rerun)));
}
