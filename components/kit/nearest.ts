/** The nearest right spelling, for "did you mean". */

const WORD_MAX = 64;
/** Shorter parts of words say nothing. */
const PART_MIN = 4;

/** With more slips than these, a word that contains the whole is the better guess. */
const SLIPS_SURE = 2;

/**
 * The word of `words` that is closest to `word` without regard to case, when it is close enough to be meant: a few slips
 * away, or the only one that contains it.
 */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase().slice(0, WORD_MAX);
  const most = wanted.length <= 4 ? 1 : wanted.length <= 8 ? 2 : 3;
  let best: string | undefined;
  let bestDistance = most + 1;
  const containing: string[] = [];
  for (const candidate of words) {
    const lower = candidate.toLowerCase();
    if (wanted.length >= PART_MIN && lower.includes(wanted)) containing.push(candidate);
    if (Math.abs(lower.length - wanted.length) >= bestDistance) continue;
    const distance = distanceOf(wanted, lower.slice(0, WORD_MAX));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return containing.length === 1 && bestDistance > SLIPS_SURE ? containing[0] : best;
}

/** Insertions, deletions, replacements and swaps of neighbours. */
function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
