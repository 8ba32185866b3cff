/**
 * From an upgraded socket to a channel: runs the handshake over the socket, within the small frames of
 * strangers. Nothing of the foreman is touched before the key is proved.
 */

import type { Logger } from "../platform/logger.ts";
import { FRAME_BYTES_MAX_UNAUTHENTICATED } from "../protocol/limits.ts";
import type { Channel } from "./channel.ts";
import type { FrameSocket } from "./frame-socket.ts";
import type { AdmittedPeer, Handshake } from "./handshake.ts";
import { type OnChannel, openSocketChannel } from "./socket-channel.ts";

export interface AdmissionOptions {
  readonly frames: FrameSocket;
  readonly handshake: Handshake<AdmittedPeer>;
  readonly address: string;
  readonly logger: Logger;
  readonly onChannel: OnChannel;
  /** The key is proved; comes before `onChannel`. */
  readonly onAdmitted: () => void;
}

export function admitThroughHandshake(options: AdmissionOptions): void {
  const { frames, handshake, address, logger } = options;
  frames.setReceiver(
    {
      onMessage(message) {
        const step = handshake.onMessage(message);
        if (step.answer !== null) frames.send(step.answer);
        if (step.kind === "refused") {
          logger.warn("peer is refused", {
            address,
            code: step.error.code,
            why: step.error.message,
          });
          frames.close(1008, step.error.message);
        } else if (step.kind === "accepted") {
          options.onAdmitted();
          openChannel(options, step.accepted);
        }
      },
      onClose: ({ code, reason }) => {
        logger.debug("stranger leaves before it proved a key", { address, code, reason });
      },
    },
    FRAME_BYTES_MAX_UNAUTHENTICATED,
  );
}

function openChannel(
  { frames, address, onChannel }: AdmissionOptions,
  peer: AdmittedPeer,
): Channel {
  return openSocketChannel(frames, { peer: { ...peer, address }, welcome: null }, onChannel);
}
