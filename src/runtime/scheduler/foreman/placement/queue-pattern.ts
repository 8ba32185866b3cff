/**
 * Which queues a worker serves: `math.*` with `*` for any characters, dots too, and `!PATTERN` to
 * exclude. Linear in the text for any pattern a peer may send; no regular expressions.
 */

/** Served when some pattern matches and no `!` pattern does; only exclusions mean all others. */
export function matchesQueue(patterns: readonly string[], queue: string): boolean {
  let isNamed = false;
  let hasPositive = false;
  for (const pattern of patterns) {
    if (pattern.startsWith("!")) {
      if (matchesPattern(pattern.slice(1), queue)) return false;
      continue;
    }
    hasPositive = true;
    isNamed ||= matchesPattern(pattern, queue);
  }
  return isNamed || (!hasPositive && patterns.length > 0);
}

function matchesPattern(pattern: string, text: string): boolean {
  let patternAt = 0;
  let textAt = 0;
  let starAt = -1;
  let starText = 0;
  while (textAt < text.length) {
    const wanted = pattern[patternAt];
    if (wanted === "*") {
      starAt = patternAt++;
      starText = textAt;
    } else if (wanted === text[textAt]) {
      patternAt++;
      textAt++;
    } else if (starAt >= 0) {
      // The last star takes one character more.
      patternAt = starAt + 1;
      textAt = ++starText;
    } else return false;
  }
  while (pattern[patternAt] === "*") patternAt++;
  return patternAt === pattern.length;
}
