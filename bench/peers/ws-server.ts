/**
 * The everyday alternative to bcast: rooms over the npm library ws and node:https, as its README's broadcast example
 * has it. `join ROOM` enters a room; a binary message goes to everyone else there, and is acknowledged afterwards when
 * its first byte is '?'.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';

const ASKS_FOR_ACKNOWLEDGEMENT = '?'.charCodeAt(0);

const [certFile = '', keyFile = ''] = process.argv.slice(2);
const https = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile), minVersion: 'TLSv1.3' });
const rooms = new Map<string, Set<WebSocket>>();

new WebSocketServer({ server: https, perMessageDeflate: false }).on('connection', (socket) => {
  let room = new Set<WebSocket>();
  socket.on('message', (data, isBinary) => {
    if (isBinary) fanOut(room, socket, data as Buffer);
    else room = joinRoom(socket, data);
  });
  socket.on('close', () => room.delete(socket));
});

function joinRoom(socket: WebSocket, data: RawData): Set<WebSocket> {
  const name = String(data).slice('join '.length);
  const room = rooms.get(name) ?? new Set();
  rooms.set(name, room.add(socket));
  socket.send('joined');
  return room;
}

function fanOut(room: Set<WebSocket>, sender: WebSocket, message: Buffer): void {
  const body = message.subarray(1);
  for (const member of room) {
    if (member !== sender) member.send(body);
  }
  if (message[0] === ASKS_FOR_ACKNOWLEDGEMENT) sender.send('ok');
}

// The bench's end, however it comes, is this server's end.
process.on('disconnect', () => process.exit());
https.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening on ${(https.address() as AddressInfo).port}\n`);
});
