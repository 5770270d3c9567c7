import { describe, expect, test } from 'vitest';
import { COMMANDS, commandOf, roleNeeded, usageOf } from '../../lib/protocol/commands.ts';
import { REQUESTS, type Request } from '../../lib/protocol/messages.ts';

/** Requests that a client makes by itself, without being told to. */
const UNTYPED: readonly Request['type'][] = ['hello', 'ping', 'typing', 'mark', 'follows', 'status'];

describe('the table of commands', () => {
  test('gives no word to two commands', () => {
    const words = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(words).size).toBe(words.length);
    expect(words.filter((word) => !/^(?:[a-z]+|\?)$/.test(word))).toEqual([]);
  });

  test('reaches every request that people make', () => {
    const reached = new Set(COMMANDS.map(({ request }) => request).filter((request) => request !== undefined));
    const wanted = (Object.keys(REQUESTS) as Request['type'][]).filter((type) => !UNTYPED.includes(type));
    expect([...reached].sort()).toEqual(wanted.sort());
  });

  test('puts text last and what may be left out behind what may not', () => {
    for (const { name, args } of COMMANDS) {
      const firstOptional = args.findIndex(({ optional }) => optional === true);
      const required = firstOptional < 0 ? [] : args.slice(firstOptional).filter(({ optional }) => optional !== true);
      expect(required, name).toEqual([]);
      expect(
        args.slice(0, -1).filter(({ kind }) => kind === 'text'),
        name,
      ).toEqual([]);
    }
  });

  test('has a line of help for each, and no two alike', () => {
    const helps = COMMANDS.map(({ help }) => help);
    expect(new Set(helps).size).toBe(helps.length);
    for (const help of helps) expect(help).toMatch(/^[A-Z].*[.]$/);
  });

  test('has the names that IRC users type', () => {
    const known =
      'join part leave list rooms names users msg pm reply me nick topic whois away ignore kick ban quit help';
    for (const word of known.split(' ')) expect(commandOf(word), word).toBeDefined();
  });
});

describe('a command', () => {
  test('is found by name and alias, whatever the case', () => {
    expect(commandOf('JOIN')?.name).toBe('join');
    expect(commandOf('J')?.name).toBe('join');
    expect(commandOf('?')?.name).toBe('help');
    expect(commandOf('')).toBeUndefined();
    expect(commandOf('constructor')).toBeUndefined();
  });

  test('is written as its arguments say', () => {
    const usages = Object.fromEntries(COMMANDS.map((command) => [command.name, usageOf(command)]));
    expect(usages).toMatchObject({
      ban: '/ban NAME|ADDRESS|FINGERPRINT [DURATION] [REASON]',
      join: '/join ROOM',
      kick: '/kick NAME [REASON]',
      msg: '/msg NAME TEXT',
      part: '/part [ROOM]',
      quit: '/quit',
      topic: '/topic [TEXT]',
    });
  });

  test('needs a role where others are affected', () => {
    const needed = (Object.keys(REQUESTS) as Request['type'][]).map((type) => [type, roleNeeded(type)]);
    expect(Object.fromEntries(needed.filter(([, role]) => role !== undefined))).toEqual({
      topic: 'member',
      kick: 'moderator',
      ban: 'moderator',
      unban: 'moderator',
      bans: 'moderator',
      code: 'owner',
      role: 'owner',
      retain: 'owner',
    });
  });
});
