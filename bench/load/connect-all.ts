/** Runs `connect` for 0 to `count` - 1, at most `concurrency` at a time; results keep their order. */
export async function connectAll<T>(
  count: number,
  concurrency: number,
  connect: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = new Array(count);
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await connect(index);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return results;
}
