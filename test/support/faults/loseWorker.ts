import { takeWorkers } from '../kubernetes/lease.ts';

/** A worker that is gone for now. */
export interface LostWorker {
  readonly name: string;
  /** Brings it back; a second time does nothing. The end of this process does it too. */
  restore(): Promise<void>;
}

/**
 * Loses a worker of the built Kubernetes as if its power had failed: no packet comes from its pods any more, and its
 * kubelet, containerd and containers are killed. Its files stay.
 */
export async function loseWorker(name: string): Promise<LostWorker> {
  const workers = await takeWorkers();
  let lost = true;
  const restore = async (): Promise<void> => {
    if (!lost) return;
    lost = false;
    try {
      await workers.ask(`restore ${name}`);
    } finally {
      workers.close();
    }
  };
  try {
    await workers.ask(`lose ${name}`);
  } catch (error) {
    workers.close();
    throw error;
  }
  return { name, restore };
}
