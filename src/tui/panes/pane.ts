/**
 * What a pane is: a pure function from what it shows and a size to rows. A row is exactly `width` cells wide,
 * its styles end with a reset, and it holds no control byte but SGR sequences; a pane gives exactly `height`
 * rows. So any two panes can stand side by side, and the same function draws the screen, `--once` and tests.
 */
import type { Theme } from "../theme/theme.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export type Pane<Shown> = (shown: Shown, size: Size, theme: Theme) => string[];
