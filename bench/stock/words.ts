/** What the messages of a stock say: words of a made-up language, as unevenly used as those of a real one. */

const VOCABULARY = 50_000;
const WORDS_PER_MESSAGE = 12;

/** Numbers from 0 up to but not 1, the same ones for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ONSETS = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'w', 'z'];
const VOWELS = ['a', 'e', 'i', 'o', 'u'];
const SYLLABLES = ONSETS.length * VOWELS.length;

/** The word of that rank, 0 for the commonest. No word is the beginning of another: all have three syllables. */
export function wordOf(rank: number): string {
  let rest = rank;
  let word = '';
  for (let i = 0; i < 3; i++) {
    const syllable = rest % SYLLABLES;
    rest = Math.floor(rest / SYLLABLES);
    word += (ONSETS[Math.floor(syllable / VOWELS.length)] ?? '') + (VOWELS[syllable % VOWELS.length] ?? '');
  }
  return word;
}

/** A body of twelve words; the word of rank r stands in it about as often as 1 / r says (Zipf's law). */
export function sentence(random: () => number): string {
  const words = Array.from({ length: WORDS_PER_MESSAGE }, () => wordOf(Math.floor(VOCABULARY ** random()) - 1));
  return words.join(' ');
}

/** Which words to look for. */
export interface Query {
  readonly kind: 'rare' | 'common' | 'two';
  readonly words: string;
}

const RANKS = {
  /** In every other message to every twentieth. */
  common: [0, 20],
  /** Each in a few messages of a thousand, so that both are in one by chance alone. */
  middle: [200, 1_000],
  /** In a few dozen messages of a million. */
  rare: [20_000, VOCABULARY],
} as const;

/** Words to look for: one that is rare, one that is common, two that are neither. */
export function makeQuery(kind: Query['kind'], random: () => number): Query {
  const pick = ([from, to]: readonly [number, number]) => wordOf(from + Math.floor(random() * (to - from)));
  if (kind === 'two') return { kind, words: `${pick(RANKS.middle)} ${pick(RANKS.middle)}` };
  return { kind, words: pick(RANKS[kind]) };
}
