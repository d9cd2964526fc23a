/** Findings for a terminal. */
import type { Finding } from "../rules/rule.ts";
import { displayWidth } from "./width.ts";

export type Look = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

export interface TextOptions {
  /** Gives a text a look, or leaves it as it is. */
  readonly style: (text: string, ...looks: Look[]) => string;
  /** Cells of a line. */
  readonly width: number;
  /** How a file is shown. */
  readonly path: (file: string) => string;
}

const labelWidth = 7;

/** All findings, each a block; a line that counts them last. */
export function textReport(findings: readonly Finding[], options: TextOptions): string {
  const blocks = findings.map((finding) => block(finding, options));
  return `${[...blocks, summary(findings)].join("\n\n")}\n`;
}

function summary(findings: readonly Finding[]): string {
  const count = (severity: string, word: string): string[] => {
    const n = findings.filter((f) => f.severity === severity).length;
    return n === 0 ? [] : [`${n} ${word}${n === 1 ? "" : "s"}`];
  };
  const parts = [...count("error", "error"), ...count("warning", "warning")];
  return parts.length === 0 ? "✔ nothing found" : `${parts.join(", ")}; leafgrad explain RULE tells more of a rule`;
}

function block(finding: Finding, options: TextOptions): string {
  const { style, width, path } = options;
  const isError = finding.severity === "error";
  const head = `${isError ? "✖" : "⚠"} ${finding.message}`;
  const gap = Math.max(2, width - displayWidth(head) - finding.rule.length);
  const { culprit, where, fix, proof } = finding;
  const place = culprit === null ? "" : `${style(`${path(culprit.file)}:${culprit.line}:${culprit.column}`, "cyan")}   ${culprit.op}`;
  const rows: [string, string][] = [
    [where === null || finding.victim === null ? "at" : "born", [place, where ?? ""].filter((part) => part !== "").join("   ")],
    ["why", finding.why],
    ["path", finding.path.join(" ← ")],
    ["norms", chartText(finding.norms)],
    ["fix", fix.text],
    ["proof", proof?.text ?? `not proved: ${unproved(finding)}`],
  ];
  const lines = rows.filter(([, text]) => text !== "").map(([label, text]) => row(label, text, options, label === "proof" && proof?.verified === true ? "green" : "dim"));
  return [`${style(head, "bold", isError ? "red" : "yellow")}${" ".repeat(gap)}${style(finding.rule, "dim")}`, ...lines].join("\n");
}

/** Why a finding has no proof. */
const unproved = ({ fix }: Finding): string => (fix.edits.length === 0 ? "the repair takes judgement, so it was not made and run" : "the repair was not run");

const bars = "▁▂▃▄▅▆▇█";
const columns = 48;

/** The norms as columns on a logarithmic scale, from the loss to the leaf, or from step to step: `loss █▇▅▃▁ w, 1.0 → 2.3e-9`. */
function chartText(norms: Finding["norms"]): string {
  if (norms.length === 0) return "";
  const length = Math.min(columns, norms.length);
  const shown = Array.from({ length }, (_, i) => norms[Math.round((i * (norms.length - 1)) / Math.max(1, length - 1))].norm);
  const logs = shown.map((norm) => (norm === 0 ? -Infinity : Math.log(norm)));
  const finite = logs.filter((log) => log > -Infinity);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const height = (log: number): number => (log === -Infinity ? 0 : Math.round(((log - low) / (high - low || 1)) * (bars.length - 1)));
  const number = (x: number): string => (x === 0 ? "0" : x.toPrecision(2));
  return `${norms[0].name.startsWith("step ") ? norms[0].name : "loss"} ${logs.map((log) => bars[height(log)]).join("")} ${norms[norms.length - 1].name}, ${number(norms[0].norm)} → ${number(norms[norms.length - 1].norm)}`;
}

function row(label: string, text: string, { style, width }: TextOptions, look: Look): string {
  const indent = " ".repeat(labelWidth + 2);
  const lines = label === "at" || label === "born" ? [text] : wrapped(text, Math.max(20, width - indent.length));
  return `  ${style(label.padEnd(labelWidth), look)}${lines.join(`\n${indent}`)}`;
}

/** Breaks a text between words. */
function wrapped(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last === "") lines[lines.length - 1] = word;
    else if (displayWidth(last) + 1 + displayWidth(word) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
