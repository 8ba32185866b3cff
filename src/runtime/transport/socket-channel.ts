/** A proven peer behind a socket, as a channel; both sides end up here after the handshake. */
import { FRAME_BYTES_MAX } from "../protocol/limits.ts";
import type { Channel, ChannelHandler, Peer, WelcomeFacts } from "./channel.ts";
import type { FrameSocket } from "./frame-socket.ts";

/** Told once a channel is open; messages that follow go to the handler it returns. */
export type OnChannel = (channel: Channel) => ChannelHandler;

export function openSocketChannel(
  frames: FrameSocket,
  facts: { readonly peer: Peer; readonly welcome: WelcomeFacts | null },
  onChannel: OnChannel,
): Channel {
  const channel: Channel = {
    peer: facts.peer,
    welcome: facts.welcome,
    send: frames.send,
    queuedBytes: frames.queuedBytes,
    drained: frames.drained,
    pause: frames.pause,
    resume: frames.resume,
    close: frames.close,
    get isOpen() {
      return frames.isOpen;
    },
  };
  frames.setReceiver(onChannel(channel), FRAME_BYTES_MAX);
  return channel;
}
