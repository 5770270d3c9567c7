/** Runs of letters, marks and digits; what stands between them separates words. */
const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/** The words of a text as they are compared: without regard to case and to how a letter is composed. */
export function wordsOf(text: string): string[] {
  return text.normalize('NFKC').toLowerCase().match(WORD) ?? [];
}

/** Whether a text has all of `words`, each as a word or as the beginning of one. */
export function matcherOf(words: readonly string[]): (text: string) => boolean {
  const wanted = words.flatMap(wordsOf);
  return (text) => {
    const there = wordsOf(text);
    return wanted.length > 0 && wanted.every((word) => there.some((each) => each.startsWith(word)));
  };
}
