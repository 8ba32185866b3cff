/** Finds the name that a person probably meant. It must never guess wildly: far names give nothing. */

/** The closest of `names` by Damerau-Levenshtein distance, or null when none is close enough. */
export function nearestName(typed: string, names: Iterable<string>): string | null {
  const word = typed.toLowerCase();
  let nearest: string | null = null;
  let nearestDistance = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const distance = editDistance(word, name.toLowerCase());
    if (distance <= distanceLimit(word, name) && distance < nearestDistance) {
      nearest = name;
      nearestDistance = distance;
    }
  }
  return nearest ?? uniqueCompletion(word, names);
}

/** About a third of the letters may be wrong, and at least one. */
function distanceLimit(word: string, name: string): number {
  return Math.max(1, Math.floor(Math.max(word.length, name.length) / 3));
}

/** `--max-run` means `--max-running` when only one name begins so. */
function uniqueCompletion(word: string, names: Iterable<string>): string | null {
  if (word.length < 2) return null;
  const matches = [...names].filter((name) => name.toLowerCase().startsWith(word));
  return matches.length === 1 ? (matches[0] ?? null) : null;
}

/** Insertions, deletions, replacements and swaps of neighbours, each counted once. */
export function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const swapped =
        row > 1 &&
        column > 1 &&
        left[row - 1] === right[column - 2] &&
        left[row - 2] === right[column - 1];
      current[column] = Math.min(
        (current[column - 1] ?? 0) + 1,
        (previous[column] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (beforePrevious[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
