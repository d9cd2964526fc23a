import * as torch from "leafgrad";
import { expect } from "vitest";
import { maskAddresses } from "./fixture.ts";
import { pyrepr } from "./pyrepr.ts";

const TRACEBACK = /^([\s\S]*Traceback of forward call [^\n]*:)\n([\s\S]*)$/;

/** Runs a program and writes down what it did, in the form of the fixture. */
export function observe(program: () => unknown): string {
  const warnings: string[] = [];
  const previous = torch.setWarningHandler((message, category) => warnings.push(`WARN ${category}: ${withoutTrace(message)}`));
  let outcome: string;
  try {
    outcome = `-> ${pyrepr(program())}`;
  } catch (error) {
    outcome = `${(error as Error).name}: ${(error as Error).message}`;
  } finally {
    torch.setWarningHandler(previous);
    torch.set_grad_enabled(true);
    torch.autograd.set_detect_anomaly(false);
  }
  return maskAddresses([outcome, ...warnings].join("\n"));
}

/**
 * The first lines of an anomaly warning are PyTorch's; the trace below them is Python's there and JavaScript's here.
 * It must name the program's file.
 */
function withoutTrace(message: string): string {
  const [, head, trace] = TRACEBACK.exec(message) ?? [];
  if (head === undefined) return message;
  expect(trace).toMatch(/programs-[a-z]+\.ts/);
  return head;
}
