import { parse } from 'csv-parse/sync';
import { BcastError } from '../errors.ts';

/** A line of the file, as text. */
export interface CsvUser {
  readonly name: string;
  readonly password: string | null;
  readonly fingerprint: string | null;
  readonly role: 'user' | 'admin';
}

const COLUMNS = ['name', 'password', 'fingerprint', 'role'];

/**
 * The users in a CSV file (RFC 4180). Its first line names the columns: `name`, and any of `password`, `fingerprint` and
 * `role`. Throws CONFIG with the line, never with what stands in it: that may be a password.
 */
export function parseUsers(text: string): readonly CsvUser[] {
  let rows: readonly Readonly<Record<string, string>>[];
  try {
    rows = parse(text, { columns: checkColumns, bom: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    if (error instanceof BcastError) throw error;
    const { lines } = error as { lines?: number };
    throw new BcastError('CONFIG', { text: `The file is not CSV${lines === undefined ? '' : `, see line ${lines}`}.` });
  }
  return rows.map((row, i) => userOf(row, i + 1));
}

function checkColumns(header: readonly string[]): string[] {
  const names = header.map((name) => name.toLowerCase());
  const isSound = names.includes('name') && names.every((name) => COLUMNS.includes(name));
  if (isSound && new Set(names).size === names.length) return names;
  throw new BcastError('CONFIG', {
    text: `The first line must name the columns: ${COLUMNS.join(',')}; name is a must.`,
  });
}

function userOf(row: Readonly<Record<string, string>>, number: number): CsvUser {
  const { name = '', password = '', fingerprint = '', role = '' } = row;
  const plain = role === '' ? 'user' : role.toLowerCase();
  if (plain !== 'user' && plain !== 'admin') {
    throw new BcastError('CONFIG', { text: `User ${number} of the file: role must be user or admin.` });
  }
  return { name, password: orNull(password), fingerprint: orNull(fingerprint), role: plain };
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}
