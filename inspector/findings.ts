/** The findings, most certain first; the chosen one is open. */
import type { DiffHunk, Page, PageFinding } from "../src/doctor/report/html/page.ts";
import { html, section, type Child } from "./dom.ts";
import { elementView } from "./element.ts";
import { plural } from "./format.ts";
import type { Store } from "./selection.ts";
import { spotText } from "./source.ts";

export function findingsView(page: Page, store: Store): HTMLElement {
  if (page.findings.length === 0) return section("findings", "Findings", html("p", { class: "healthy" }, html("strong", {}, "✔ Nothing found."), " The doctor watched the whole program and has nothing to object to."));
  const cards = page.findings.map((finding, i) => card(page, store, finding, i));
  return section("findings", plural(page.findings.length, "finding"), html("ol", { class: "cards" }, ...cards));
}

function card(page: Page, store: Store, finding: PageFinding, index: number): HTMLElement {
  const isError = finding.severity === "error";
  const id = `finding-${index}`;
  const body = html("div", { class: "body", id });
  const choose = (): void => store.choose({ ...focusOf(page, finding, index), finding: store.selection.finding === index ? null : index });
  const toggle = html("button", { type: "button", "aria-expanded": "false", "aria-controls": id, onclick: choose, onkeydown: moves },
    html("span", { class: "sign", "aria-label": finding.severity, role: "img" }, isError ? "✖" : "▲"),
    html("span", { class: "message" }, finding.message),
    html("span", { class: "where" }, html("code", {}, finding.rule), finding.marks[0] === undefined ? null : html("span", {}, spotText(page, finding.marks[0]))));
  const item = html("li", { class: `card ${finding.severity}` }, html("h3", {}, toggle), body);
  store.follow(({ finding: chosen }, before) => {
    if (before !== null && before.finding === chosen) return;
    const open = chosen === index;
    toggle.setAttribute("aria-expanded", String(open));
    item.classList.toggle("open", open);
    body.hidden = !open;
    // What is hidden is not drawn: a program may have many findings.
    if (open && body.childElementCount === 0) body.append(...details(page, store, finding).filter((child) => child !== null));
  });
  return item;
}

/** What choosing a finding shows elsewhere on the page. */
export function focusOf({ graphs }: Page, finding: PageFinding, index: number): Partial<Store["selection"]> {
  const graph = finding.graph ?? 0;
  return { finding: index, graph, node: finding.node ?? graphs[graph]?.roots[0] ?? null, storage: finding.storage, spot: null };
}

/** Arrow keys go from one finding to the next. */
function moves(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const toggles = [...document.querySelectorAll<HTMLElement>(".cards h3 button")];
  toggles[toggles.indexOf(event.currentTarget as HTMLElement) + step]?.focus();
  event.preventDefault();
}

function details(page: Page, store: Store, finding: PageFinding): Child[] {
  return [
    finding.place === null ? null : html("p", { class: "culprit" }, html("code", {}, finding.call ?? ""), html("span", { class: "quiet" }, [finding.where, finding.place].filter((part) => part !== null).join(", "))),
    row("Why", html("p", {}, finding.why)),
    elementView(page, store, finding),
    finding.path.length === 0 ? null : row("Path", html("p", { class: "path" }, ...path(finding.path))),
    row("Fix", html("p", {}, finding.fix), ...finding.diff.map(diff)),
    finding.proof === null ? row("Proof", html("p", { class: "quiet" }, finding.diff.length === 0 ? "Not proved: the repair takes judgement, so it was not made and run." : "Not proved: the repair was not run.")) : proof(finding.proof),
  ];
}

function row(title: string, ...children: Child[]): HTMLElement {
  return html("div", { class: "row" }, html("h4", {}, title), ...children);
}

function path(names: readonly string[]): Child[] {
  return names.flatMap((name, i) => [i === 0 ? null : html("span", { class: "arrow" }, " ← "), html("code", {}, name)]);
}

function diff({ file, lines }: DiffHunk): HTMLElement {
  const words = { "-": "removed", "+": "added", " ": "" };
  const [removed, added] = ["-", "+"].map((sign) => lines.filter((line) => line.sign === sign));
  const shown = lines.map((line) => {
    const other = line.sign === "-" ? added[removed.indexOf(line)] : line.sign === "+" ? removed[added.indexOf(line)] : undefined;
    const text = other === undefined || removed.length !== added.length ? [line.text] : changedPart(line.text, other.text);
    return html("div", { class: `change ${words[line.sign]}` }, html("span", { class: "number" }, String(line.line)), html("span", { class: "sign" }, line.sign), html("code", {}, ...text));
  });
  return html("div", { class: "diff", role: "group", "aria-label": `Change in ${file}` }, ...shown);
}

/** A line with the part marked in which it differs from another. */
function changedPart(text: string, other: string): Child[] {
  const shorter = Math.min(text.length, other.length);
  let start = 0;
  while (start < shorter && text[start] === other[start]) start++;
  let end = 0;
  while (end < shorter - start && text.at(-1 - end) === other.at(-1 - end)) end++;
  const middle = text.slice(start, text.length - end);
  return [text.slice(0, start), middle === "" ? null : html("mark", {}, middle), text.slice(text.length - end)];
}

function proof({ verified, before, after, text }: NonNullable<PageFinding["proof"]>): HTMLElement {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const said = verified && names.length > 0 ? `The program was run again with the fix; ${lastPart(text)}.` : text;
  return html("div", { class: `row proof ${verified ? "verified" : ""}` }, html("h4", {}, verified ? "✔ Proof" : "Proof"), html("p", {}, said),
    html("dl", { class: "outcomes" }, ...names.flatMap((name) => outcome(name, before[name], after[name]))));
}

/** What a name stood for before the repair and after. */
function outcome(name: string, before: string | undefined, after: string | undefined): HTMLElement[] {
  const line = (word: string, value: string | undefined): HTMLElement => html("dd", {}, html("span", { class: "word" }, word), html("span", { class: "value" }, ...(value === undefined ? ["–"] : coloured(value))));
  return [html("dt", {}, html("code", {}, name)), ...(before === after ? [line("as before", after)] : [line("before", before), line("after", after)])];
}

/** The proof's text ends in what was compared; its numbers are in the table. */
const lastPart = (text: string): string => text.slice(text.lastIndexOf("; ") + 1).trim();

/** What is not finite stands out. */
function coloured(text: string): Child[] {
  return text.split(/(nan|-?inf)/).map((part) => (/^(nan|-?inf)$/.test(part) ? html("strong", { class: "bad" }, part) : part));
}
