/**
 * Asks a source for its first batch before a foreman is asked for anything, so that a file that is not
 * there or an `inputs` that throws is refused without one, and none is started in vain. It waits a moment
 * only: a slow source goes on while the foreman is called.
 */
import type { Clock } from "../../platform/clock.ts";

/** What is wrong at once shows by then; shorter than anybody notices. */
const HEAD_START_MS = 100;

/** @throws whatever the source throws within that moment; later it comes with the first batch. */
export async function primeBatches<Batch>(
  batches: AsyncIterable<Batch>,
  clock: Clock,
): Promise<AsyncIterable<Batch>> {
  const iterator = batches[Symbol.asyncIterator]();
  const first = iterator.next();
  await arrivedOrLate(first, clock);
  // Heard by whoever asks for it; until then it must not count as lost.
  first.catch(() => {});
  let isAsked = false;
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        if (isAsked) return iterator.next();
        isAsked = true;
        return first;
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  };
}

async function arrivedOrLate(first: Promise<unknown>, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = clock.setTimer(HEAD_START_MS, late.resolve);
  try {
    await Promise.race([first, late.promise]);
  } finally {
    timer.cancel();
  }
}
