/** `cases` maps names to functions that set a case up and return one call of it. */
export function serve(version: string, cases: Record<string, () => unknown>): Promise<void>;
