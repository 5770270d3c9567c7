import { expect, test } from 'vitest';
import { createWindow } from '../../../lib/client/pipe/window.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function isSettled(promise: Promise<void> | undefined): Promise<boolean> {
  let settled = promise === undefined;
  void promise?.then(() => {
    settled = true;
  });
  await turn();
  return settled;
}

test('is full at its messages and has room again when one is counted out', async () => {
  const window = createWindow(2, 1_000);
  window.add(1);
  expect(window.room()).toBeUndefined();
  window.add(1);
  const room = window.room();
  expect(await isSettled(room)).toBe(false);
  window.remove(1);
  expect(await isSettled(room)).toBe(true);
});

test('is full at its bytes, and lets a message larger than itself pass alone', async () => {
  const window = createWindow(100, 10);
  expect(window.room()).toBeUndefined();
  window.add(5_000);
  const room = window.room();
  expect(await isSettled(room)).toBe(false);
  window.remove(5_000);
  expect(await isSettled(room)).toBe(true);
});

test('says when everything is counted out', async () => {
  const window = createWindow(10, 1_000);
  expect(await isSettled(window.empty())).toBe(true);
  window.add(1);
  window.add(2);
  const empty = window.empty();
  window.remove(1);
  expect(await isSettled(empty)).toBe(false);
  window.remove(2);
  expect(await isSettled(empty)).toBe(true);
  expect(window.messages).toBe(0);
});
