import { Writable } from 'node:stream';

/** Keeps what is written to its stream. */
export class Collector {
  text = '';
  readonly stream = new Writable({
    write: (chunk, _encoding, done) => {
      this.text += String(chunk);
      done();
    },
  });
}
