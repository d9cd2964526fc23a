/** The page in a browser. */
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureBuilt, leafgrad, Workspace } from "../cli/cli.ts";
import { executable, launch, open, type Opened } from "./browser.ts";

const workspace = new Workspace();
const { folder: cwd } = workspace;

const programs: Record<string, string> = {
  "masked.ts": `import * as torch from "leafgrad";
const x = torch.tensor([0, 4], { requires_grad: true });
const loss = x.pow(0.5).mul(0).add(x).sum();
loss.backward();
`,
  "overwritten.ts": `import * as torch from "leafgrad";
const x = torch.tensor([1, 2], { requires_grad: true });
const y = x.exp();
y.add_(1);
const loss = y.sum();
loss.backward();
`,
  "cut.ts": `import * as torch from "leafgrad";
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const hidden = w.mul(3).detach();
const loss = hidden.add(1).mul(b).sum();
loss.backward();
`,
  "two.ts": `import * as torch from "leafgrad";
const w = torch.tensor([1, 2], { requires_grad: true });
try {
  w.add_(1);
} catch {}
for (let step = 0; step < 3; step++) {
  w.sub(step === 2 ? 1 : 0.5).sqrt().sum().backward();
  w.grad = null;
}
`,
  "healthy.ts": `import * as torch from "leafgrad";
torch.tensor([1, 2], { requires_grad: true }).exp().sum().backward();
`,
  "hostile</script><img src=x onerror=alert(1)>.ts": `// </script><script>alert("comment")</script> <!-- {{script}} \${alert(2)}
import * as torch from "leafgrad";
const text = "</script><img src='https://example.com/a.png' onerror='alert(3)'>";
const x = torch.tensor([0], { requires_grad: true });
x.sqrt().mul(0).sum().backward(); // ]]> & &lt; \u2028
console.log(text);
`,
  "long.ts": `import * as torch from "leafgrad";
const w = torch.tensor([1.001], { requires_grad: true });
let x = torch.tensor([0], { requires_grad: true }).sqrt();
for (let i = 0; i < 5000; i++) {
  x = x.mul(w);
  x = x.add(0.001);
}
x.sum().backward();
`,
};

const pageFile = (name: string): string => join(cwd, `${name.replace(/\W/g, "")}.html`);

if (executable === null) console.log("The page is not tested: no Chromium was found; CHROMIUM may name one.");

describe.skipIf(executable === null)("in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    ensureBuilt();
    workspace.write(programs);
    for (const name of Object.keys(programs)) await leafgrad(["doctor", name, "--html", pageFile(name)], { cwd });
    browser = await launch();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    workspace.remove();
  });

  const visit = (name: string, look = {}): Promise<Opened> => open(browser, pageFile(name), look);

  test("shows the finding, its lines, its element and its proof, and asks for nothing", async () => {
    const { page, complaints } = await visit("masked.ts");
    expect(await page.title()).toBe("masked.ts – leafgrad doctor");
    expect(await page.locator(".card [aria-expanded=true] .message").textContent()).toBe("NaN in x.grad[0] (1 of 2 elements)");
    expect(await page.locator(".line[data-role=culprit] .text").textContent()).toBe("const loss = x.pow(0.5).mul(0).add(x).sum();");
    expect(await page.locator(".line[data-role=culprit] .marked").allTextContents().then((parts) => parts.join(""))).toBe("x.pow(0.5)");
    expect(await page.locator(".line[data-role=victim] .mark").getAttribute("aria-label")).toContain("x.grad suffers");
    expect(await page.locator(".equation").innerText()).toBe("d(x.pow(0.5))/dx\n= 0.5·x^-0.5\n= 0.5·0^-0.5\n= ∞\ntimes the gradient 0 · ∞ = NaN");
    expect(await page.locator(".strip li.bad").allTextContents()).toEqual(["NaN"]);
    expect(await page.locator(".change.added code").textContent()).toContain("x.masked_fill(x.le(0), 1).pow(0.5)");
    expect(await page.locator(".proof.verified h4").textContent()).toBe("✔ Proof");
    expect(await page.locator("canvas").count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  test("the graph tells leaf, saved, poisoned and path apart, and a chosen node shows its data", async () => {
    const { page } = await visit("masked.ts");
    const classes = await page.locator(".canvas .node").evaluateAll((nodes) => nodes.map((node) => [node.querySelector(".label")!.textContent, node.getAttribute("class")]));
    expect(classes).toEqual([["sum", "node on-path"], ["add", "node on-path"], ["mul", "node on-path"], ["▶ pow", "node poisoned culprit on-path"], ["x", "node leaf saved poisoned on-path"]]);
    expect(await page.locator(".wire.sick").count()).toBe(1);
    await page.locator(".canvas .node", { hasText: "mul" }).click();
    expect(await page.locator(".details").innerText()).toMatch(/mul MulBackward0[^]*shape\s+2[^]*version\s+0[^]*norm\s+1\.414/);
    expect(await page.locator(".line[data-role=culprit]").count()).toBe(1);
  });

  test("everything can be reached with the keyboard", async () => {
    const { page } = await visit("masked.ts");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.className")).toBe("skip");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.locator(".card h3 button").getAttribute("aria-expanded")).toBe("false");
    await page.keyboard.press("Enter");
    expect(await page.locator(".card h3 button").getAttribute("aria-expanded")).toBe("true");
    await page.locator(".canvas .node[tabindex='0']").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    expect(await page.locator(".details h3 code").textContent()).toBe("add");
    expect(await page.locator(".canvas .node[aria-pressed=true] .label").textContent()).toBe("add");
  });

  test("the timeline of what was overwritten, by line", async () => {
    const { page, complaints } = await visit("overwritten.ts");
    expect(await page.locator(".moments > li").evaluateAll((rows) => rows.map((row) => [row.className, row.querySelector(".version")!.textContent, row.querySelector(".link")!.textContent]))).toEqual([
      ["made", "v0", "line 3"], ["saved", "v0", "line 3"], ["written harm", "v1", "line 4"], ["refused harm", "v0", "line 3"],
    ]);
    expect(await page.locator(".canvas .node.overwritten .label").allTextContents()).toEqual(["add", "▶ exp"]);
    expect(complaints).toEqual([]);
  });

  test("a cut is drawn, and its finding chooses it", async () => {
    const { page, complaints } = await visit("cut.ts");
    expect(await page.locator(".canvas .node[aria-pressed=true]").getAttribute("class")).toContain("cut culprit");
    expect(await page.locator(".canvas .node.cut-off .label").allTextContents()).toEqual(["mul", "w"]);
    expect(await page.locator(".wire.cut").count()).toBe(2);
    await page.locator(".canvas .node", { hasText: "sum" }).click();
    expect(await page.locator(".details h3 code").textContent()).toBe("sum");
    const toggle = page.locator(".card h3 button");
    await toggle.click();
    await toggle.click();
    expect(await page.locator(".details h3 code").textContent()).toBe("detach");
    expect(await page.locator(".details .states").innerText()).toBe("cut");
    expect(complaints).toEqual([]);
  });

  test("choosing another finding, in the list or in the gutter, shows its lines, its graph and its norms", async () => {
    const { page, complaints } = await visit("two.ts");
    const messages = await page.locator(".message").allTextContents();
    expect(messages.toSorted()).toEqual([expect.stringMatching(/^Inf in w.grad/), "w requires grad and is written in place"]);
    await page.locator(".card h3 button").nth(1).click();
    const blamed = page.locator(".line[data-role=culprit] > .number");
    const line = await blamed.textContent();
    await page.locator(".mark.error").nth(line === "4" ? 1 : 0).click();
    expect(new Set([line, await blamed.textContent()])).toEqual(new Set(["4", "7"]));
    expect(await page.locator(".card.open").count()).toBe(1);
    expect(await page.locator(".graph select").count()).toBe(1);
    expect(await page.locator("canvas").count()).toBe(2);
    expect(complaints).toEqual([]);
  });

  test("a healthy program has a page too, with its graph", async () => {
    const { page, complaints } = await visit("healthy.ts");
    expect(await page.locator(".counts").textContent()).toBe("✔ nothing found");
    expect(await page.locator(".canvas .node").count()).toBe(3);
    expect(complaints).toEqual([]);
  });

  test("text of the program stays text", async () => {
    const name = Object.keys(programs).find((program) => program.startsWith("hostile"))!;
    const { page, complaints } = await visit(name);
    expect(await page.locator("h1").textContent()).toBe(name);
    expect((await page.locator(".line .text").allTextContents()).join("\n")).toBe(programs[name]);
    expect(await page.locator("img").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("ten thousand nodes come folded, and a block opens", async () => {
    const { page, complaints } = await visit("long.ts");
    expect(await page.locator(".graph .tools").textContent()).toMatch(/^backward 1, line 8.*10 00\d nodes, folded to \d+;/);
    const before = await page.locator(".canvas .node").count();
    expect(before).toBeLessThan(30);
    await page.locator(".canvas .node.block").first().click();
    expect(await page.locator(".canvas .node").count()).toBeGreaterThan(before);
    await page.getByRole("button", { name: "Fold all" }).click();
    expect(await page.locator(".canvas .node").count()).toBeLessThanOrEqual(before);
    expect(complaints).toEqual([]);
  });

  test.each([["masked.ts", false], ["cut.ts", true], ["overwritten.ts", true], ["long.ts", false]])("%s fits a phone", async (name, dark) => {
    const { page, complaints } = await visit(name, { width: 390, height: 844, dark });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    expect(complaints).toEqual([]);
  });
});
