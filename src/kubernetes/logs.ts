import type { ApiClient } from './client.ts';
import type { KubernetesAccess } from './kubernetesAccess.ts';
import { explainProblem, type Asked } from './problems.ts';

/** Streams a container's log until the signal is aborted or the container is gone; a previous one's log just ends. */
export function logsOf(client: ApiClient): KubernetesAccess['logs'] {
  return async (namespace, pod, container, { tailLines, previous = false }, onText, signal) => {
    const asked: Asked = { verb: 'get', resource: 'pods/log', namespace, name: pod };
    const query = {
      container,
      tailLines: String(tailLines),
      ...(previous ? { previous: 'true' } : { follow: 'true' }),
    };
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
    try {
      const stream = await client.stream({ asked, method: 'GET', path, query, signal });
      stream.setEncoding('utf8');
      for await (const text of stream) onText(String(text));
    } catch (error) {
      if (!signal.aborted) throw explainProblem(error, client.context, asked);
    }
  };
}
