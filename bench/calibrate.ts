/** A fixed piece of work, timed: what it takes longer than in its best run is the machine's noise. Prints milliseconds. */
const ROUNDS = 20_000_000;

function work(): number {
  let state = 1;
  for (let i = 0; i < ROUNDS; i++) state = (Math.imul(state ^ (state >>> 13), 0x5bd1e995) + i) | 0;
  return state;
}

work();
const startMs = performance.now();
work();
process.stdout.write(`${(performance.now() - startMs).toFixed(3)}\n`);
