/**
 * The known word that `word` is probably a slip of; undefined when none is near. Near: at most a third of the letters
 * wrong (two at least), which catches swapped, missing and doubled letters without wild guesses.
 */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  const plain = normalized(word);
  const limit = Math.max(2, Math.floor(plain.length / 3));
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(plain, normalized(candidate));
    if (distance <= limit && (best === undefined || distance < best.distance)) {
      best = { word: candidate, distance };
    }
  }
  return best?.word;
}

/** Case and separators are no mistakes worth counting: srcNS, src_ns and src-ns are the same slip. */
function normalized(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, "").slice(0, 64);
}

/** Levenshtein's distance, row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split("").entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split("").entries()) {
      const replace = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replace, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
