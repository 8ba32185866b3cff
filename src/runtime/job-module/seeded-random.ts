/**
 * The generator behind `ctx.random()`: sfc32, its state filled by splitmix32 from the job's seed and
 * the task's index. Job authors rely on its numbers staying the same from release to release.
 */

/** Draws numbers of [0, 1) with 53 random bits, the same sequence for the same arguments. */
export function createRandom(seed: number, index: number): () => number {
  const mix = createSplitmix32(seed);
  // The index enters after the seed was mixed, so (1, 2) and (2, 1) have nothing in common.
  const mixIndex = createSplitmix32((mix() ^ Math.imul(index, 0x9e3779b1)) >>> 0);
  const next = createSfc32(mix(), mixIndex(), mixIndex());
  return () => {
    const high = next() >>> 5;
    const low = next() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  };
}

function createSplitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

function createSfc32(first: number, second: number, third: number): () => number {
  let a = first | 0;
  let b = second | 0;
  let c = third | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  // The first rounds still show the seed.
  for (let round = 0; round < 12; round += 1) next();
  return next;
}
