// A process of its own, whose environment says which authorities it trusts: reads, forwards and runs a program, each by one connection.
import { openContext } from '../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../src/kubernetes/kubeconfigs.ts';
import { messageOf } from '../../src/model/errors.ts';
import { connectNode } from '../../src/redis/connect.ts';

const [file = '', namespace = ''] = process.argv.slice(2);
const [context] = loadKubeconfigs([file]).contexts;
if (context === undefined) throw new Error(`${file} has no context.`);
const access = openContext(context);
const times = { connectTimeoutMs: 5_000, commandTimeoutMs: 5_000 };
try {
  const found = await access.discover(namespace);
  const forward = await access.forward(namespace, 'server', 6379);
  const connection = await connectNode({ path: forward.path }, {}, times);
  const reply = await connection.call('PING');
  connection.close();
  const session = await access.exec(namespace, 'server', 'redis', ['true'], () => undefined);
  const { exitCode } = await session.done;
  console.log(`${found.length} workload, ${String(reply)}, exit code ${exitCode}`);
} catch (error) {
  console.log(messageOf(error));
} finally {
  access.close();
}
