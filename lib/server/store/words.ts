/** Runs of letters, marks and digits; what stands between them separates words. */
const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/** The words of a text as they are compared: without regard to case and to how a letter is composed. */
export function wordsOf(text: string): string[] {
  return text.normalize('NFKC').toLowerCase().match(WORD) ?? [];
}

/**
 * Whether a text has all of `words`, each as a word or as the beginning of one. Takes a time in proportion to the text,
 * however many words are wanted: who searches chooses both.
 */
export function matcherOf(words: readonly string[]): (text: string) => boolean {
  const wanted = new Set(words.flatMap(wordsOf));
  const lengths = [...new Set([...wanted].map(({ length }) => length))].sort((a, b) => a - b);
  return (text) => {
    const missing = new Set(wanted);
    for (const word of wanted.size === 0 ? [] : wordsOf(text)) {
      for (const length of lengths) {
        if (length > word.length) break;
        missing.delete(word.slice(0, length));
      }
      if (missing.size === 0) return true;
    }
    return false;
  };
}
