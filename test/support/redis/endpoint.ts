import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { parseAddress } from '../../../src/model/clusterRef.ts';

/** One name for all nodes, as managed services give it: each connection reaches another node. */
export async function startEndpoint(
  addresses: readonly string[],
): Promise<{ readonly server: Server; readonly address: string }> {
  let count = 0;
  const server = createServer((socket) => {
    const { port } = parseAddress(addresses[count++ % addresses.length] ?? '');
    const node = connect(port, '127.0.0.1');
    socket.pipe(node).pipe(socket);
    for (const [one, other] of [
      [socket, node],
      [node, socket],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  return { server, address: `localhost:${bound.port}` };
}
