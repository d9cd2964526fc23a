/** Node's own modules where there are any. Nothing here imports them: the same code runs in browsers. */
interface Platform {
  process?: { getBuiltinModule?: (name: string) => unknown };
}

/** A module of Node's by its name; undefined elsewhere, and in Node before 20.16. */
export function nodeModule<T>(name: string): T | undefined {
  return (globalThis as Platform).process?.getBuiltinModule?.(name) as T | undefined;
}
