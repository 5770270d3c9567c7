import { Readable, type Writable } from 'node:stream';
import type { AskCode } from '../../../lib/client/pipe/enter.ts';
import type { PipeOptions } from '../../../lib/client/pipe/options.ts';
import { runPipe } from '../../../lib/client/pipe/run.ts';
import { requireRoomName } from '../../../lib/protocol/names.ts';
import { Collector } from '../../helpers/collector.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { FakeClient } from './fake-client.ts';

const lobby = requireRoomName('lobby');

/** In the lobby, doing nothing. */
export const PLAIN: PipeOptions = {
  rooms: [lobby],
  code: undefined,
  create: undefined,
  destination: { room: lobby },
  input: null,
  output: null,
  search: null,
  keepEmpty: false,
  receipts: false,
  drainTimeoutMs: 10_000,
  count: undefined,
  timeoutMs: undefined,
  idleMs: undefined,
  isQuiet: false,
};

interface Given extends Partial<PipeOptions> {
  readonly stdin?: string | Readable;
  readonly stdout?: Writable;
  readonly client?: FakeClient;
  readonly askCode?: AskCode;
}

/** Line mode with everything around it in the test's hands. */
export function start({ stdin, stdout, client = new FakeClient(), askCode, ...options }: Given = {}) {
  const clock = new ManualClock();
  const collector = new Collector();
  const notes: string[] = [];
  const stop = new AbortController();
  let opened = 0;
  const done = runPipe({
    options: { ...PLAIN, ...options },
    streams: {
      openStdin: () => {
        opened += 1;
        return typeof stdin === 'object' ? stdin : Readable.from([Buffer.from(stdin ?? '')]);
      },
      stdout: stdout ?? collector.stream,
      note: (line) => notes.push(line),
    },
    clock,
    signal: stop.signal,
    askCode,
    connect: async () => client.asClient(),
  });
  done.catch(() => undefined);
  return { client, clock, collector, notes, stop, done, opened: () => opened };
}
