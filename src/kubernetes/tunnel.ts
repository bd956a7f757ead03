import type { Socket } from 'node:net';
import { openChannel, type Channel } from './channel.ts';
import type { ApiClient } from './client.ts';
import type { Asked } from './problems.ts';
import type { SignIn } from './signIn.ts';

/** Bytes waiting for the network above which the local side has to wait, and below which it goes on. */
const highWater = 1_048_576;
const lowWater = 262_144;

/** Where a tunnel leads. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** One WebSocket to a pod's port; what comes before a local socket is attached is kept for it. */
export interface Tunnel {
  isOpen(): boolean;
  attach(local: Socket): void;
  close(): void;
}

/** How a tunnel's WebSocket carries the bytes of the connection. */
export interface Carrier {
  readonly path: string;
  readonly asked: Asked;
  /** The stream on which bytes are sent. */
  readonly sendOn: number;
  /** The server's bytes in what came on a stream; nothing where there are none, `end` where the connection is over. */
  readonly receive: (stream: number, data: Buffer) => Buffer | 'end' | undefined;
  readonly onClose?: () => void;
}

/** Opens a WebSocket that carries one connection to a pod's port. Throws UserErrors. */
export async function openTunnel(
  signIn: SignIn,
  client: ApiClient,
  { path, asked, sendOn, receive, onClose }: Carrier,
  signal: AbortSignal,
): Promise<Tunnel> {
  const early: Buffer[] = [];
  let isOpen = true;
  let deliver = (data: Buffer): void => void early.push(data);
  let end = (): void => undefined;
  const channel = await openChannel(
    signIn,
    client,
    path,
    asked,
    {
      onData: (stream, data) => {
        const received = receive(stream, data);
        if (received === 'end') end();
        else if (received !== undefined && received.length > 0) deliver(received);
      },
      onClose: () => {
        isOpen = false;
        onClose?.();
        end();
      },
    },
    signal,
  );
  return {
    isOpen: () => isOpen,
    attach: (local) => {
      deliver = (data) => {
        if (!local.write(data)) channel.pause();
      };
      end = () => local.destroy();
      for (const data of early.splice(0)) deliver(data);
      if (isOpen) connectBoth(local, channel, sendOn);
      else local.destroy();
    },
    close: () => {
      channel.close();
    },
  };
}

function connectBoth(local: Socket, channel: Channel, sendOn: number): void {
  local.on('drain', () => {
    channel.resume();
  });
  local.on('data', (data: Buffer) => {
    channel.send(sendOn, data, () => {
      if (local.isPaused() && channel.waiting < lowWater) local.resume();
    });
    if (channel.waiting > highWater) local.pause();
  });
  local.on('close', () => {
    channel.close();
  });
  if (local.destroyed) channel.close();
  else local.resume();
}
