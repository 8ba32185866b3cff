/** The job in the images: renders frames that do not exist, says so as it goes, and fails on some of them. */
export const options = { name: "render-frames", retries: 1, backoff: "200ms", maxFails: "none" };

export const inputs = Array.from({ length: 4000 }, (_, at) => ({ frame: at + 1, tiles: 12 }));

interface Context {
  readonly attempt: number;
  random(): number;
}

export default async function render(
  { frame, tiles }: { frame: number; tiles: number },
  ctx: Context,
): Promise<{ file: string; peakMb: number }> {
  console.log(`frame ${frame}: scene.blend loaded, ${tiles} tiles`);
  await Bun.sleep(100 + 500 * ctx.random());
  for (let tile = 0; tile < tiles; tile++) {
    console.log(
      `frame ${frame}: tile ${tile} of ${tiles}, ${Math.round(9 + 40 * ctx.random())} ms`,
    );
  }
  if (frame % 97 === 0) console.error(`warning: /assets/tile-${frame}.exr cannot be opened`);
  if (frame % 97 === 0) throw new Error(`texture /assets/tile-${frame}.exr is missing`);
  if (frame % 61 === 0 && ctx.attempt === 1) throw new TypeError("cannot read lights of undefined");
  const peakMb = Math.round(280 + 60 * ctx.random());
  console.log(`frame ${frame}: done, peak ${peakMb} MB`);
  return { file: `out/${String(frame).padStart(4, "0")}.png`, peakMb };
}
