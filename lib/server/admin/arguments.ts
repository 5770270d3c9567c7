import { BcastError } from '../../errors.ts';
import { utf8Length } from '../../protocol/text.ts';
import { isFingerprint } from '../../wire/crypto/identity.ts';

/** One argument of an admin operation, as it comes in JSON. */
export interface Argument<T> {
  /** In words, for the error. */
  readonly rule: string;
  /** Undefined for what does not obey the rule. */
  read(value: unknown): T | undefined;
}

export type Shape = Readonly<Record<string, Argument<unknown>>>;
export type Infer<S extends Shape> = { readonly [K in keyof S]: S[K] extends Argument<infer T> ? T : never };

/** Not empty. */
export function text(maxBytes: number): Argument<string> {
  return {
    rule: `a text of 1 to ${maxBytes} bytes`,
    read: (value) => (typeof value === 'string' && value !== '' && utf8Length(value) <= maxBytes ? value : undefined),
  };
}

export function count(max: number = Number.MAX_SAFE_INTEGER): Argument<number> {
  return {
    rule: `a whole number from 0 to ${max}`,
    read: (value) =>
      Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= max ? Number(value) : undefined,
  };
}

/** Null stands for what is left out. */
export function optional<T>(argument: Argument<T>): Argument<T | null> {
  return {
    rule: `${argument.rule}, or nothing`,
    read: (value) => (value === undefined || value === null ? null : argument.read(value)),
  };
}

export function choice<const W extends readonly string[]>(...words: W): Argument<W[number]> {
  return {
    rule: `one of ${words.join(', ')}`,
    read: (value) => (typeof value === 'string' && words.includes(value) ? value : undefined),
  };
}

export function fingerprint(): Argument<string> {
  return {
    rule: 'a fingerprint (SHA256:...)',
    read: (value) => (typeof value === 'string' && isFingerprint(value) ? value : undefined),
  };
}

export function record<S extends Shape>(shape: S): Argument<Infer<S>> {
  return {
    rule: `an object with ${Object.keys(shape).join(', ')}`,
    read(value) {
      if (typeof value !== 'object' || value === null) return undefined;
      return readArguments(shape, value as Readonly<Record<string, unknown>>);
    },
  };
}

export function list<T>(argument: Argument<T>, most: number): Argument<readonly T[]> {
  return {
    rule: `a list of at most ${most}, each ${argument.rule}`,
    read(value) {
      if (!Array.isArray(value) || value.length > most) return undefined;
      const items = value.map((item) => argument.read(item));
      return items.every((item) => item !== undefined) ? items : undefined;
    },
  };
}

/** The arguments of that shape. Throws BAD_REQUEST for one that breaks its rule and for one that nobody asked for. */
export function readArguments<S extends Shape>(shape: S, values: Readonly<Record<string, unknown>>): Infer<S> {
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(shape, name)) throw new BcastError('BAD_REQUEST', { text: `There is no argument ${name}.` });
  }
  const entries = Object.entries(shape).map(([name, { rule, read }]) => {
    const value = read(values[name]);
    if (value === undefined) throw new BcastError('BAD_REQUEST', { text: `${name} must be ${rule}.` });
    return [name, value] as const;
  });
  return Object.fromEntries(entries) as Infer<S>;
}
