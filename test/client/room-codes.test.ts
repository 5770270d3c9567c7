import { expect, test } from 'vitest';
import { RoomCodes } from '../../lib/client/room-codes.ts';
import { requireRoomName } from '../../lib/protocol/names.ts';

const DEN = requireRoomName('den');

test('a code is known by the room however its name is written', () => {
  const codes = new RoomCodes();
  expect(codes.of(DEN)).toBeNull();
  codes.learn(DEN, 'AAAAA');
  expect(codes.of(requireRoomName('DEN'))).toBe('AAAAA');
});

test('an invitation helps who knows no code, and replaces none', () => {
  const codes = new RoomCodes();
  codes.hear(DEN, 'BBBBB');
  expect(codes.of(DEN)).toBe('BBBBB');
  codes.learn(DEN, 'AAAAA');
  codes.hear(DEN, 'CCCCC');
  expect(codes.of(DEN)).toBe('AAAAA');
  codes.discard(DEN, 'AAAAA');
  expect(codes.of(DEN)).toBe('CCCCC');
  codes.discard(DEN, 'other');
  codes.discard(DEN, null);
  expect(codes.of(DEN)).toBe('CCCCC');
});

test('whoever sends many invitations makes nothing grow, and pushes out the oldest only', () => {
  const codes = new RoomCodes();
  codes.learn(DEN, 'AAAAA');
  for (let i = 0; i < 1_000; i += 1) codes.hear(requireRoomName(`room${i}`), 'BBBBB');
  expect(codes.of(requireRoomName('room0'))).toBeNull();
  expect(codes.of(requireRoomName('room935'))).toBeNull();
  expect(codes.of(requireRoomName('room936'))).toBe('BBBBB');
  expect(codes.of(requireRoomName('room999'))).toBe('BBBBB');
  expect(codes.of(DEN)).toBe('AAAAA');
});
