/**
 * The newest answer of each place on the stack, so that going back shows something at once. Lists are held in
 * their order for a while (held-order.ts); what is frozen stays as it is while newer answers come.
 */
import type { FeedError, FeedUpdate, Focus, FocusBody } from "../feed.ts";
import { isSamePlaceAsked } from "./focus-of.ts";
import { createOrderKeeper } from "./held-order.ts";

export interface Picture {
  readonly asked: Focus;
  /** As it came. */
  readonly body: FocusBody | null;
  /** In the order in which it is shown. */
  readonly shown: FocusBody | null;
  readonly arrivedAtMs: number;
  readonly failed: FeedError | null;
}

export interface Pictures {
  /** What is to be shown of the place that this focus is about. */
  of(focus: Focus): Picture | null;
  take(update: Extract<FeedUpdate, { readonly kind: "view" | "failed" }>, nowMs: number): void;
  /** The cursor has been moved: nothing is put into another order for a moment. */
  moved(nowMs: number): void;
  /** Puts lists into order whose time has come; whether anything is shown differently. */
  refresh(focus: Focus, nowMs: number): boolean;
  freeze(isFrozen: boolean): void;
}

/** As deep as the stack of screens is. */
const PICTURES_MAX = 12;

export function createPictures(): Pictures {
  let pictures: Picture[] = [];
  let frozen: readonly Picture[] | null = null;
  const order = createOrderKeeper();
  const find = (all: readonly Picture[], focus: Focus): Picture | null =>
    all.find(({ asked }) => isSamePlaceAsked(asked, focus)) ?? null;

  function put(picture: Picture): void {
    const others = pictures.filter(({ asked }) => !isSamePlaceAsked(asked, picture.asked));
    pictures = [picture, ...others].slice(0, PICTURES_MAX);
  }

  return {
    of: (focus) => find(frozen ?? pictures, focus),
    take(update, nowMs) {
      const asked = update.focus;
      if (update.kind === "failed") {
        const before = find(pictures, asked);
        const { error: failed } = update;
        put({
          ...(before ?? { body: null, shown: null, arrivedAtMs: nowMs }),
          asked,
          failed,
        });
        return;
      }
      const { view: body } = update;
      const shown = order.present(body, asked, nowMs);
      put({ asked, body, shown, arrivedAtMs: nowMs, failed: null });
    },
    moved: order.moved,
    refresh(focus, nowMs) {
      const picture = find(pictures, focus);
      if (!order.isHolding || picture?.body == null) return false;
      put({ ...picture, shown: order.present(picture.body, picture.asked, nowMs) });
      return frozen === null;
    },
    freeze(isFrozen) {
      if (!isFrozen) frozen = null;
      else frozen ??= pictures;
    },
  };
}
