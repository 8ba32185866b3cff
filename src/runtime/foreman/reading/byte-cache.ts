/** What was read of the store, kept up to a bound of bytes: what was not used for longest goes first. */

export interface ByteCache<Entry extends { readonly bytes: number }> {
  /** Now used last. */
  get(key: string): Entry | null;
  hold(key: string, entry: Entry): Entry;
  forget(isGone: (key: string) => boolean): void;
}

/** @param bytesMax one entry may be larger than all of it. */
export function createByteCache<Entry extends { readonly bytes: number }>(
  bytesMax: number,
): ByteCache<Entry> {
  /** In order of last use, oldest first. */
  const entries = new Map<string, Entry>();
  let bytes = 0;

  function drop(key: string): void {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  }

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return null;
      entries.delete(key);
      entries.set(key, entry);
      return entry;
    },
    hold(key, entry) {
      drop(key);
      entries.set(key, entry);
      bytes += entry.bytes;
      for (const oldest of entries.keys()) {
        if (bytes <= bytesMax || entries.size === 1) break;
        drop(oldest);
      }
      return entry;
    },
    forget(isGone) {
      for (const key of entries.keys()) if (isGone(key)) drop(key);
    },
  };
}
