/** A mistake that people make, as a pair of programs, and what the doctor is to say of the bad one. */
export interface Pitfall {
  /** Its function in the Python file of the same family is called so, with `_` for `-`. */
  readonly name: string;
  /** Where people ask about it, in words; the programs are our own. */
  readonly source: string;
  readonly rule: string;
  /** The lines to blame end in `// culprit`; each gives one finding. */
  readonly bad: string;
  readonly good: string;
  /** The elements of the first finding; none where its rule speaks of none. */
  readonly elements?: readonly (readonly number[])[];
  /** Does the doctor make the repair, and prove it by running? */
  readonly proved: boolean;
}

/** A program of a pitfall with the import that it begins with. */
export function programText(body: string): string {
  return `import * as torch from "leafgrad";\n${body}`;
}

/** The lines that are to be blamed. */
export function culpritLines(program: string): number[] {
  return program.split("\n").flatMap((line, i) => (line.endsWith("// culprit") ? [i + 1] : []));
}
