/** Counts the writes to a storage; shared by a tensor, its views and its detached aliases. */
export class VersionCounter {
  value = 0;
}
