import fc, { type Arbitrary } from 'fast-check';
import { EVENTS, type Event, type MessageShape, REQUESTS, type Request } from '../../lib/protocol/messages.ts';
import { toUserName } from '../../lib/protocol/names.ts';
import type { Rule, Shape } from '../../lib/protocol/schema.ts';

/** A value as the program has it, and the same as plain CBOR values: numbers, texts, byte strings, arrays, null. */
export interface Sample<T = unknown> {
  readonly value: T;
  readonly plain: unknown;
}

export const REQUEST_TYPES = Object.keys(REQUESTS) as Request['type'][];
export const EVENT_TYPES = Object.keys(EVENTS) as Event['type'][];

/** Requests of one type, made from nothing but the type's CDDL. */
export function requestSamples(type: Request['type']): Arbitrary<Sample<Request>> {
  return messageSamples(type, REQUESTS[type]) as Arbitrary<Sample<Request>>;
}

/** Events of one type, made from nothing but the type's CDDL. */
export function eventSamples(type: Event['type']): Arbitrary<Sample<Event>> {
  return messageSamples(type, EVENTS[type]) as Arbitrary<Sample<Event>>;
}

const MANY_BYTES_EACH = '\u{20000}'.repeat(50);
const WORDS = [
  'a',
  'alice',
  'Bob_2',
  'x.y-z',
  'Straße',
  'ΣΑΣ',
  '日本語',
  'קפה',
  'é',
  'İstanbul',
  'n'.repeat(50),
  MANY_BYTES_EACH,
];

const names: Arbitrary<Sample> = fc
  .oneof(
    fc.constantFrom(...WORDS),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
    fc.stringMatching(/^[a-z0-9]{1,50}$/),
  )
  .map(toUserName)
  .filter((name) => name !== null)
  .map((name) => ({ value: name, plain: name }));

const fingerprints: Arbitrary<Sample> = bytes(32).map((plain) => {
  const base64 = Buffer.from(plain).toString('base64').replace(/=+$/, '');
  return { value: `SHA256:${base64}`, plain };
});

/** What is no plain CBOR value in the program. */
const SPECIAL: Readonly<Record<string, Arbitrary<Sample>>> = {
  'user-name': names,
  'room-name': names,
  fingerprint: fingerprints,
};

function messageSamples(type: string, { tag, fields }: MessageShape<Shape>): Arbitrary<Sample> {
  const entries = Object.entries(fields);
  return fc.tuple(...entries.map(([, { cddl, rules }]) => samplesOf(cddl, rules))).map((samples) => ({
    value: { type, ...Object.fromEntries(entries.map(([key], i) => [key, samples[i]?.value])) },
    plain: [tag, ...samples.map(({ plain }) => plain)],
  }));
}

/** Reads the little of CDDL that the schema uses. Anything else is an error of the schema. */
function samplesOf(cddl: string, rules: readonly Rule[]): Arbitrary<Sample> {
  if (cddl.endsWith(' / null')) {
    const inner = samplesOf(cddl.slice(0, -' / null'.length), rules);
    return fc.oneof(inner, fc.constant({ value: null, plain: null }));
  }
  if (cddl in SPECIAL) return SPECIAL[cddl] as Arbitrary<Sample>;
  const rule = rules.find(({ name }) => name === cddl);
  if (rule !== undefined) return samplesOf(rule.is, rules);
  for (const [form, samples] of FORMS) {
    const match = form.exec(cddl);
    if (match !== null) return samples(match.slice(1), rules);
  }
  throw new Error(`no samples of ${cddl}`);
}

const FORMS: readonly (readonly [RegExp, (parts: string[], rules: readonly Rule[]) => Arbitrary<Sample>])[] = [
  [/^bool$/, () => same(fc.boolean())],
  [/^0\.\.(\d+)$/, ([max]) => same(integers(Number(max)))],
  [/^tstr \.size \(0\.\.(\d+)\)$/, ([max]) => same(texts(Number(max)))],
  [
    /^bstr \.size (\d+)$/,
    ([length]) => bytes(Number(length)).map((plain) => ({ value: Buffer.from(plain).toString('hex'), plain })),
  ],
  [/^&\((.*)\)$/, ([words = '']) => fc.constantFrom(...words.split(', ').map(enumWord))],
  [/^\[0\*(\d+) ([\w-]+)\]$/, ([, row = ''], rules) => lists(samplesOf(row, rules))],
  [/^\[(.*)\]$/, ([group = ''], rules) => records(group.split(', '), rules)],
];

function enumWord(written: string): Sample {
  const [word = '', number] = written.split(': ');
  return { value: word, plain: Number(number) };
}

function lists(rows: Arbitrary<Sample>): Arbitrary<Sample> {
  return fc.array(rows, { maxLength: 30, size: 'small' }).map((samples) => ({
    value: samples.map(({ value }) => value),
    plain: samples.map(({ plain }) => plain),
  }));
}

function records(group: readonly string[], rules: readonly Rule[]): Arbitrary<Sample> {
  const fields = group.map((field) => field.split(': ') as [string, string]);
  return fc.tuple(...fields.map(([, cddl]) => samplesOf(cddl, rules))).map((samples) => ({
    value: Object.fromEntries(fields.map(([key], i) => [key, samples[i]?.value])),
    plain: samples.map(({ plain }) => plain),
  }));
}

function same<T>(plain: Arbitrary<T>): Arbitrary<Sample> {
  return plain.map((value) => ({ value, plain: value }));
}

/** Also the numbers where CBOR heads grow. */
function integers(max: number): Arbitrary<number> {
  const edges = [0, 23, 24, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER];
  return fc.oneof(fc.constantFrom(...edges.filter((edge) => edge <= max), max), fc.integer({ min: 0, max }));
}

/** Also the lengths where CBOR heads grow, and characters of each length in UTF-8. */
function texts(maxBytes: number): Arbitrary<string> {
  const edges = [0, 1, 23, 24, 255, 256, 65_535, maxBytes].filter((edge) => edge <= maxBytes);
  const repeated = fc
    .tuple(fc.constantFrom(...edges), fc.constantFrom('x', 'é', '日', '😀', '\uFFFD', '\u0000'))
    .map(([size, character]) => character.repeat(Math.floor(size / Buffer.byteLength(character))));
  const short = fc.string({ unit: 'binary', maxLength: Math.min(60, Math.floor(maxBytes / 4)) });
  return fc.oneof({ weight: 9, arbitrary: short }, { weight: 1, arbitrary: repeated });
}

function bytes(length: number): Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

export const anyRequest: Arbitrary<Sample<Request>> = fc.oneof(...REQUEST_TYPES.map(requestSamples));
export const anyEvent: Arbitrary<Sample<Event>> = fc.oneof(...EVENT_TYPES.map(eventSamples));
