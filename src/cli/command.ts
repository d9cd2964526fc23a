/** What a file of `src/cli` exports to become a command: `leafgrad NAME …`. */
export interface Command {
  /** One line for `leafgrad --help`. */
  readonly summary: string;
  /** What `leafgrad NAME --help` prints. */
  readonly help: string;
  /** Runs with the arguments after the command's name; throws {@link UsageError} for a bad one. */
  run(args: string[]): Promise<void>;
}

/** A mistake on the command line: its text is shown without a stack, and the exit status is 2. */
export class UsageError extends Error {}
