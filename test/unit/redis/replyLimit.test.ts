import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import { connectNode } from '../../../src/redis/connect.ts';
import { readNodeView } from '../../../src/redis/nodeView.ts';

const MiB = 1024 * 1024;
const times = { connectTimeoutMs: 2_000, commandTimeoutMs: 20_000, mostReplyBytes: 8 * MiB };

/** A server that answers PING, and everything else with this beginning and then with this part for ever. */
async function withServer(
  beginning: string,
  part: string,
  use: (port: number, sent: () => number) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  let sent = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      if (String(data).includes('PING')) {
        socket.write('+PONG\r\n');
        return;
      }
      socket.write(beginning);
      const much = Buffer.from(part.repeat(Math.ceil(65_536 / part.length)));
      const more = (): void => {
        while (!socket.destroyed && sent < 400 * MiB) {
          sent += much.length;
          if (!socket.write(much)) return void socket.once('drain', more);
        }
      };
      more();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use((server.address() as AddressInfo).port, () => sent);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const endless: Readonly<Record<string, readonly [string, string]>> = {
  'a text of 100 MB': ['$104857600\r\n', 'x'],
  'a list without end': ['*2000000000\r\n', ':1\r\n'],
  'a line without end': ['+', 'x'],
  'lists within lists': ['', '*1\r\n'],
  'an error without end': ['-ERR ', 'x'],
};
for (const [name, [beginning, part]] of Object.entries(endless)) {
  test(`${name} is cut off, and the server and the command are named`, async () => {
    await withServer(beginning, part, async (port, sent) => {
      const connection = await connectNode({ host: '127.0.0.1', port }, {}, times);
      await assert.rejects(readNodeView(connection), (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.equal(error.reason, 'unreachable');
        return true;
      });
      assert.ok(sent() < 64 * MiB, `${sent()} bytes were taken`);
      await assert.rejects(connection.call('PING'), UserError);
      connection.close();
    });
  });
}

test('the message says where and in reply to what, and many replies below the limit are none too many', async () => {
  await withServer('$104857600\r\n', 'x', async (port) => {
    const connection = await connectNode({ host: '127.0.0.1', port }, {}, times);
    for (let count = 0; count < 20; count++) assert.equal(await connection.call('PING'), 'PONG');
    await assert.rejects(connection.call('CLUSTER', 'NODES'), {
      message: `Redis at 127.0.0.1:${port} sent more than 8 MiB in reply to CLUSTER NODES. The connection was closed.`,
    });
    connection.close();
  });
});
