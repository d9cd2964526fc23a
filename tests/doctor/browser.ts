/** A headless browser for tests of the page, where there is one. */
import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";

const candidates = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** The browser's program; null where none is found. */
export const executable = candidates.find((path) => path !== undefined && existsSync(path)) ?? null;

const flags = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: executable!, args: flags });

/** An open page, and what went wrong on it: messages of the console, errors, requests other than for the file itself. */
export interface Opened {
  readonly page: Page;
  readonly complaints: string[];
}

export async function open(browser: Browser, file: string, { width = 1280, height = 900, dark = false } = {}): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const url = `file://${file}`;
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:")) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}
