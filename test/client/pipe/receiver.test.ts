import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { createOutput } from '../../../lib/client/pipe/output.ts';
import { createReceiver } from '../../../lib/client/pipe/receiver.ts';
import { FakeClient, roomMessage } from './fake-client.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A receiver that keeps the last two of a backlog, and a reader of it that takes one line when told. */
function start() {
  const client = new FakeClient();
  const texts: string[] = [];
  let taken: (() => void) | undefined;
  const stdout = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, written) {
      texts.push(String(chunk));
      taken = written;
    },
  });
  const receiver = createReceiver(client, {
    form: 'raw',
    events: false,
    output: createOutput(stdout, () => undefined),
    nowMs: () => 0,
    onWritten: () => true,
    beforeSeq: undefined,
    lastOfBacklog: 2,
  });
  const takeOne = async () => {
    taken?.();
    await turn();
  };
  return { client, receiver, texts, takeOne };
}

test('a live message waits while a backlog that was read long ago is written', async () => {
  const { client, receiver, texts, takeOne } = start();
  for (const body of ['1', '2', '3']) client.emit(roomMessage(body, { isHistory: true }));
  await turn();
  const told = receiver.backlogTold();
  client.emit(roomMessage('live'));
  for (let i = 0; i < 4; i += 1) await takeOne();
  await told;
  expect(texts).toEqual(['2\n', '3\n', 'live\n']);
});

test('the backlog counts as told when all of it is written, not when it is read', async () => {
  const { client, receiver, takeOne } = start();
  for (const body of ['1', '2']) client.emit(roomMessage(body, { isHistory: true }));
  let isTold = false;
  void receiver.backlogTold().then(() => {
    isTold = true;
  });
  await turn();
  await takeOne();
  expect(isTold).toBe(false);
  await takeOne();
  expect(isTold).toBe(true);
});
