import { BcastError } from '../errors.ts';
import { MAX_NAME_CHARS } from '../limits.ts';

declare const brand: unique symbol;
/** A user's name as its owner writes it: valid and NFKC-normalised. */
export type UserName = string & { readonly [brand]: 'UserName' };
/** A room's name as its creator wrote it: valid and NFKC-normalised. */
export type RoomName = string & { readonly [brand]: 'RoomName' };
/** A name as it is compared: two names with the same key are the same name. */
export type NameKey = string & { readonly [brand]: 'NameKey' };

// Marks (M) only after a letter or digit: a name never starts with something that joins to what stands before it.
const NAME = /^(?:[\p{L}\p{Nd}_.-]\p{M}*)+$/u;
// Zalgo: a name may stack no more than this many marks on one letter.
const STACKED_MARKS = /\p{M}{4}/u;
// Letters and marks that leave no ink (Hangul fillers, variation selectors...): with one, two names would look the same.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

/** The user name in `text`, or null when it is none. */
export function toUserName(text: string): UserName | null {
  return normalise(text) as UserName | null;
}

/** The room name in `text`, or null when it is none; a leading `#`, which IRC users type, is left out. */
export function toRoomName(text: string): RoomName | null {
  return normalise(text.startsWith('#') ? text.slice(1) : text) as RoomName | null;
}

/** Throws NAME_INVALID with the rule. */
export function requireUserName(text: string): UserName {
  const name = toUserName(text);
  if (name === null) throw new BcastError('NAME_INVALID', { text: `${printable(text)} is not a name: ${NAME_RULE}` });
  return name;
}

/** As whom those whom the operator of a server kicks and bans are told that it was done: no user bears that name. */
export const OPERATOR = 'operator' as UserName;

/** A name that somebody wants to bear. Throws NAME_INVALID with the rule, and for a reserved one. */
export function requireOwnName(text: string): UserName {
  const name = requireUserName(text);
  checkNotReserved(name);
  return name;
}

/** Throws NAME_INVALID for a name that no user may bear. */
export function checkNotReserved(name: UserName): void {
  if (!isReserved(name)) return;
  throw new BcastError('NAME_INVALID', {
    text: `Nobody may be called ${name}: what is done on the server itself is said to be done by that name.`,
  });
}

export function isReserved(name: UserName): boolean {
  return nameKey(name) === nameKey(OPERATOR);
}

/** Throws ROOM_NAME_INVALID with the rule. */
export function requireRoomName(text: string): RoomName {
  const name = toRoomName(text);
  if (name === null) {
    throw new BcastError('ROOM_NAME_INVALID', { text: `${printable(text)} is not a room name: ${NAME_RULE}` });
  }
  return name;
}

/** The comparison key: lower, upper and again lower case, so that ẞ, ß and SS meet. */
export function nameKey(name: UserName | RoomName): NameKey {
  if (isPlainLowerCase(name)) return name as string as NameKey;
  return name.toLowerCase().toUpperCase().toLowerCase().normalize('NFKC') as NameKey;
}

export const NAME_RULE = `1 to ${MAX_NAME_CHARS} letters and digits of any script, and _ - .`;

function normalise(text: string): string | null {
  if (text.length === 0 || text.length > MAX_NAME_CHARS * 4) return null;
  if (text.length <= MAX_NAME_CHARS && isPlainLowerCase(text)) return text;
  const name = text.normalize('NFKC');
  if (!NAME.test(name) || STACKED_MARKS.test(name) || INVISIBLE.test(name)) return null;
  return [...name].length <= MAX_NAME_CHARS ? name : null;
}

/** Nothing but a-z, 0-9 and _ - . (already its own NFKC form and its own key). */
function isPlainLowerCase(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    const isPlain =
      (unit >= 0x61 && unit <= 0x7a) ||
      (unit >= 0x30 && unit <= 0x39) ||
      unit === 0x5f ||
      unit === 0x2d ||
      unit === 0x2e;
    if (!isPlain) return false;
  }
  return true;
}

/** The text as a refusal may quote it: short, and without what a terminal would act on. */
function printable(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return JSON.stringify(shown.replace(/\p{C}/gu, '\uFFFD'));
}
