/** What a proxy says in front of a connection, as HAProxy's proxy-protocol.txt §2.2 has it: written here a second time. */
export function proxyHeader({
  command = 0x21,
  family = 0x11,
  addresses = new Uint8Array(12),
}: {
  readonly command?: number;
  readonly family?: number;
  /** Everything behind the first 16 bytes. */
  readonly addresses?: Uint8Array;
} = {}): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(addresses.length);
  return Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    Buffer.from([command, family]),
    length,
    addresses,
  ]);
}

/** The header of a TCP connection over IPv4 or IPv6 from these bytes of address, to nowhere in particular. */
export function proxyHeaderFrom(source: Uint8Array, tlvs: Uint8Array = new Uint8Array(0)): Buffer {
  const family = source.length === 4 ? 0x11 : 0x21;
  const addresses = Buffer.concat([source, new Uint8Array(source.length), Buffer.from([0x1f, 0x90, 0x23, 0x28]), tlvs]);
  return proxyHeader({ family, addresses });
}
