import type { ClusterDialer } from '../../src/redis/nodeConnection.ts';

/** Counts what is asked over a dialer's connections, and how much of it had to wait for an answer before. */
export class Requests {
  count = 0;
  /** The longest chain of requests each of which was sent after the answer to the one before had come. */
  longestChain = 0;

  /** The same dialer, its requests counted. To dial takes two: TCP connects, and the handshake. */
  over(dialer: ClusterDialer): ClusterDialer {
    return {
      credentials: dialer.credentials,
      dial: async (id) => {
        const connection = await this.#follow(dialer.dial(id), 2);
        return {
          call: (...command) => this.#follow(connection.call(...command)),
          callBuffer: (...command) => this.#follow(connection.callBuffer(...command)),
          pipeline: (commands) => this.#follow(connection.pipeline(commands)),
          pipelineBuffer: (commands) => this.#follow(connection.pipelineBuffer(commands)),
          takeOver: () => connection.takeOver(),
          close: () => {
            connection.close();
          },
        };
      },
    };
  }

  async #follow<T>(reply: Promise<T>, roundTrips = 1): Promise<T> {
    this.count += roundTrips;
    const place = this.longestChain + roundTrips;
    try {
      return await reply;
    } finally {
      this.longestChain = Math.max(this.longestChain, place);
    }
  }
}
