#!/usr/bin/env node
import { readFileSync } from "node:fs";
import type { Command } from "./command.ts";
import { UsageError } from "./command.ts";
import { doctor } from "./doctor.ts";
import { explain } from "./explain.ts";
import { run } from "./run.ts";

const commands: Readonly<Record<string, Command>> = { run, doctor, explain };

const help = `leafgrad: PyTorch's eager tensors and autograd for TypeScript

Usage: leafgrad COMMAND [arguments]

Commands:
${Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`).join("\n")}

Options:
  -h, --help      show this text; "leafgrad COMMAND --help" explains a command
  -v, --version   show the version
`;

async function main([name, ...args]: string[]): Promise<void> {
  if (name === undefined) throw new UsageError(`no command given\n\n${help.trimEnd()}`);
  if (name === "--help" || name === "-h") return void process.stdout.write(help);
  if (name === "--version" || name === "-v") return console.log(version());
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new UsageError(unknown(name));
  if (args[0] === "--help" || args[0] === "-h") return void process.stdout.write(command.help);
  await command.run(args);
}

function unknown(name: string): string {
  const kind = name.startsWith("-") ? "option" : "command";
  const hint = /\.m?[jt]s$/.test(name) ? `to run a program: leafgrad run ${name}` : "see leafgrad --help";
  return `unknown ${kind} "${name}"; ${hint}`;
}

function version(): string {
  const manifest = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`leafgrad: ${error.message}`);
  process.exitCode = 2;
}
