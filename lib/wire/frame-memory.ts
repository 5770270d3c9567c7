/** Memory not yet written to; a Buffer where there are Buffers, as sockets take those without wrapping them again. */
function allocate(bytes: number): Uint8Array {
  return globalThis.Buffer === undefined ? new Uint8Array(bytes) : Buffer.allocUnsafeSlow(bytes);
}

/**
 * Memory for frames on their way out. Allocating a fresh 60 KB for every frame cost 27 us of a server's time, nearly as
 * much as sealing it; a socket has usually copied a frame when `write` returns, and then the next frame can have the same
 * memory. What was not taken back stays with whoever received it.
 *
 * Every view handed out must be written whole before it is sent.
 */
export class FrameMemory {
  readonly #slabBytes: number;
  #slab: Uint8Array | undefined;
  #used = 0;
  /** The view that was given back last: frames of one size follow each other, and a new view costs a tenth of sealing one. */
  #free: Uint8Array | undefined;

  constructor(slabBytes: number) {
    this.#slabBytes = slabBytes;
  }

  /** A view of `bytes` bytes, at most the size of a slab, that is nobody else's. */
  take(bytes: number): Uint8Array {
    const free = this.#free;
    this.#free = undefined;
    if (free?.length === bytes) {
      this.#used += bytes;
      return free;
    }
    if (this.#slab === undefined || this.#used + bytes > this.#slabBytes) {
      this.#slab = allocate(this.#slabBytes);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += bytes;
    return this.#slab.subarray(start, this.#used);
  }

  /** The view is needed no more. Only the one taken last can be used again. */
  giveBack(view: Uint8Array): void {
    const isLast =
      view.buffer === this.#slab?.buffer && view.byteOffset + view.length === this.#slab.byteOffset + this.#used;
    if (!isLast) return;
    this.#used -= view.length;
    this.#free = view;
  }
}
