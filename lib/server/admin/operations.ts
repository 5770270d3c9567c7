import { BcastError } from '../../errors.ts';
import { type Infer, readArguments, type Shape } from './arguments.ts';
import type { AdminContext } from './context.ts';
import { LIST, rooms, sessions, status } from './looking.ts';
import { BAN, ban, bans, KICK, kick, UNBAN, unban } from './moderation.ts';
import {
  AUDIT,
  addUser,
  audit,
  IMPORT,
  importUsers,
  NEW_PASSWORD,
  NEW_ROLE,
  NEW_USER,
  removeUser,
  setUserPassword,
  setUserRole,
  USER,
  users,
} from './people.ts';
import { BACKUP, backup, reload } from './upkeep.ts';

interface Operation<S extends Shape, R> {
  readonly shape: S;
  /** The result must be plain JSON. Throws what becomes the answer's error. */
  run(context: AdminContext, args: Infer<S>): R | Promise<R>;
}

/** Everything that can be asked over the admin socket. */
const OPERATIONS = {
  status: operation({}, status),
  rooms: operation(LIST, rooms),
  sessions: operation(LIST, sessions),
  bans: operation({}, bans),
  kick: operation(KICK, kick),
  ban: operation(BAN, ban),
  unban: operation(UNBAN, unban),
  audit: operation(AUDIT, audit),
  users: operation({}, users),
  addUser: operation(NEW_USER, addUser),
  removeUser: operation(USER, removeUser),
  setUserPassword: operation(NEW_PASSWORD, setUserPassword),
  setUserRole: operation(NEW_ROLE, setUserRole),
  importUsers: operation(IMPORT, importUsers),
  reload: operation({}, reload),
  backup: operation(BACKUP, backup),
} as const;

type Table = typeof OPERATIONS;
export type OperationName = keyof Table;
export type OperationArguments<N extends OperationName> = Infer<Table[N]['shape']>;
export type OperationResult<N extends OperationName> = Awaited<ReturnType<Table[N]['run']>>;

/** Does what was asked. Throws BAD_REQUEST for what no operation understands. */
export async function perform(
  context: AdminContext,
  { op, ...values }: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  if (typeof op !== 'string' || !Object.hasOwn(OPERATIONS, op)) {
    throw new BcastError('BAD_REQUEST', {
      text: `There is no such operation, only ${Object.keys(OPERATIONS).join(', ')}.`,
    });
  }
  const { shape, run } = OPERATIONS[op as OperationName] as Operation<Shape, unknown>;
  return run(context, readArguments(shape, values));
}

function operation<S extends Shape, R>(
  shape: S,
  run: (context: AdminContext, args: Infer<S>) => R | Promise<R>,
): Operation<S, R> {
  return { shape, run };
}
