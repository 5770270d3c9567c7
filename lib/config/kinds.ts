import { isIP } from 'node:net';
import { formatExactDuration, parseDuration } from '../duration.ts';

/** How an option's text becomes its value. */
export interface OptionKind<T> {
  /** What stands for the value in help; absent for a flag that takes none. */
  readonly placeholder?: string;
  /** Null for what is not of this kind. */
  parse(raw: string): T | null;
  /** The value as it would be typed. */
  format(value: T): string;
  /** The rule in words, for the error. */
  readonly rule: string;
  /**
   * Whether the text holds a secret. Where it may, `format` leaves it out, no error repeats the text, and one that does is
   * not taken from the command line, which everybody on the machine can read.
   */
  readonly carriesSecret?: (raw: string) => boolean;
}

export function text(placeholder: string): OptionKind<string> {
  return { placeholder, rule: 'a text', parse: (raw) => (raw === '' ? null : raw), format: (value) => value };
}

/** A server's identity as it is printed: the SHA-256 of its key in base64. */
export function fingerprint(): OptionKind<string> {
  return {
    placeholder: 'SHA256:...',
    rule: 'SHA256: and 43 characters of base64, as bcast start prints it',
    parse: (raw) => (/^SHA256:[A-Za-z0-9+/]{43}$/.test(raw) ? raw : null),
    format: (value) => value,
  };
}

/** What names of keys and the like can begin with. */
export function word(): OptionKind<string> {
  return {
    placeholder: 'WORD',
    rule: '1 to 32 of A-Z, a-z, 0-9, dot, dash and underscore',
    parse: (raw) => (/^[\w.-]{1,32}$/.test(raw) ? raw : null),
    format: (value) => value,
  };
}

export function integer(min: number, max: number): OptionKind<number> {
  return {
    placeholder: 'N',
    rule: `a whole number from ${min} to ${max}`,
    parse: (raw) => (/^\d+$/.test(raw) && Number(raw) >= min && Number(raw) <= max ? Number(raw) : null),
    format: String,
  };
}

const SIZE = /^(\d+)(k|m|g)?$/i;
const SIZE_UNIT: Readonly<Record<string, number>> = { k: 1_024, m: 1_048_576, g: 1_073_741_824 };

export function bytes(min: number, max: number): OptionKind<number> {
  return {
    placeholder: 'BYTES',
    rule: `a size from ${min} to ${max} bytes, such as 65536, 64k or 4m`,
    parse(raw) {
      const match = SIZE.exec(raw);
      if (match === null) return null;
      const value = Number(match[1]) * (SIZE_UNIT[match[2]?.toLowerCase() ?? ''] ?? 1);
      return value >= min && value <= max ? value : null;
    },
    format: String,
  };
}

/** Milliseconds in memory. */
export function duration(): OptionKind<number> {
  return {
    placeholder: 'DURATION',
    rule: 'a duration such as 500ms, 10s, 5m, 2h or 7d',
    parse: parseDuration,
    format: formatExactDuration,
  };
}

export function choice<const W extends readonly string[]>(...words: W): OptionKind<W[number]> {
  return {
    placeholder: words.join('|'),
    rule: `one of ${words.join(', ')}`,
    parse: (raw) => (words.includes(raw) ? raw : null),
    format: (value) => value,
  };
}

/** An IP address, or a network of them by its prefix. */
export function network(): OptionKind<string> {
  return {
    placeholder: 'NETWORK',
    rule: 'an IP address or a network such as 10.0.0.0/8',
    parse(raw) {
      const [, address = '', bits = '0'] = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(raw) ?? [];
      const family = isIP(address);
      return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128) ? raw : null;
    },
    format: (value) => value,
  };
}

/** Several of a kind, separated by commas; none at all is a list too. */
export function list<T>(item: OptionKind<T>): OptionKind<readonly T[]> {
  return {
    placeholder: `${item.placeholder},...`,
    rule: `a list, separated by commas, of which each is ${item.rule}`,
    parse(raw) {
      const texts = raw.split(',').map((part) => part.trim());
      const values = texts.filter((part) => part !== '').map((part) => item.parse(part));
      return values.includes(null) ? null : (values as T[]);
    },
    format: (value) => value.map((each) => item.format(each)).join(','),
  };
}

export function flag(): OptionKind<boolean> {
  return {
    rule: '1 or 0, true or false, yes or no',
    parse: (raw) => (/^(1|true|yes|on)$/i.test(raw) ? true : /^(0|false|no|off)$/i.test(raw) ? false : null),
    format: (value) => (value ? '1' : '0'),
  };
}
